"""What a job tells the platform: results and failures, as far as they may leave the site."""

from functools import cached_property

from alectio_agent.agent.hooks.child.results import Asked
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.journal.origin import Origin
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.core.clock import timestamp
from alectio_agent.core.ids import new_id
from alectio_agent.wire.claims import Claim, Step
from alectio_agent.wire.results import JobFailure, Part, StepCommit


class JobReports:
    """Of one job."""

    def __init__(self, claim: Claim, platform_id: str, desk: Desk) -> None:
        """Bind it.

        Args:
            claim: The job; its samples are not needed.
            platform_id: Of the platform that gave it.
            desk: Says what may leave.
        """
        self._claim = claim
        self._platform_id = platform_id
        self._desk = desk

    def manifest(self, step: Step, outcome: StepOutcome) -> Manifest:
        """A result, with its key.

        Args:
            step: Whose result it is.
            outcome: What its hook gave.
        """
        share = self._desk.shares.at(self._claim.pipeline)
        commit = StepCommit(
            key=new_id(),
            media_type=outcome.media_type,
            rows=outcome.rows,
            parts=[_part(part) for part in outcome.parts],
            started_at=outcome.started_at,
            finished_at=outcome.finished_at,
            duration_s=outcome.duration_s,
            warnings=share.warnings(outcome.warnings),
            provenance=share.provenance(outcome.provenance),
        )
        # It came as JSON; a look at each of its values would take longer than all the rest.
        commit = commit.model_copy(
            update={"inline": share.inline(step, outcome.inline, self._asked)}
        )
        return Manifest(
            platform_id=self._platform_id,
            job=self._claim.job,
            job_id=self._claim.job_id,
            lease=self._claim.lease,
            step=step,
            commit=commit,
            files=[part.file for part in outcome.parts],
            origin=self._origin,
        )

    def failure(
        self, step: Step | None, name: str, message: str, traceback: str, partial: str | None
    ) -> JobFailure:
        """A failure, with its key.

        Args:
            step: That failed; None outside of one.
            name: Of the failure class.
            message: For people.
            traceback: Of user code; empty without one.
            partial: Name of what `train` saved in its middle; None without.
        """
        share = self._desk.shares.at(self._claim.pipeline)
        return JobFailure.of(
            name,
            share.message(message, name),
            timestamp(self._desk.clock.now()),
            step=step,
            traceback=share.traceback(traceback)[-32000:],
            partial=partial,
        )

    @property
    def _asked(self) -> Asked:
        return Asked(self._claim.task, self._claim.classes, self._claim.class_names)

    @cached_property
    def _origin(self) -> Origin:
        return Origin.of(self._claim)


def _part(part: PartFile) -> Part:
    return Part(sha256=part.sha256, bytes=part.bytes, rows=part.rows)
