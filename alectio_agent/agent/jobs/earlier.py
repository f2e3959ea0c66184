"""Jobs that an earlier life of the agent has claimed: which go on, which are only delivered."""

import logging
from collections.abc import Callable, Collection, Iterable

from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.heartbeats import Ending
from alectio_agent.agent.journal.rows import Job
from alectio_agent.core.clock import timestamp
from alectio_agent.core.log import job_logger
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure

log = logging.getLogger(__name__)


class EarlierJobs:
    """Takes up what the journal holds."""

    def __init__(self, desk: Desk) -> None:
        """Bind it.

        Args:
            desk: What jobs work with.
        """
        self._desk = desk

    def can_go_on(self, job: Job, pipelines: Collection[str]) -> bool:
        """Whether steps of a job are to be run here.

        A job whose pipeline was taken out of the configuration is handed back to the platform.

        Args:
            job: Not closed.
            pipelines: Names of those that this agent offers.
        """
        claim = job.claim
        if job.state != "open":
            return False
        told = job_logger(log, claim.job, claim.attempt)
        if claim.pipeline in pipelines:
            told.info("goes on where it was")
            return True
        reason = f"pipeline {claim.pipeline!r} is no longer in the agent's configuration"
        told.error("is handed back to the platform: %s", reason)
        self._desk.counters.jobs.add("interrupted")
        now = timestamp(self._desk.clock.now())
        self._desk.journal.put_failure(claim.lease, JobFailure.of("interrupted", reason, now))
        return False

    def deliver(self, claim: Claim) -> None:
        """Keep the lease of a job alive of which only messages are left, and send its log.

        Args:
            claim: Of the job.
        """
        desk, lease = self._desk, claim.lease
        desk.heartbeats.hold(claim, self._on_end(lease))
        desk.heartbeats.deliver(lease)
        desk.logs.follow(claim, desk.log_file(claim))
        desk.logs.end(lease)

    def hold_back(self, leases: Iterable[str]) -> None:
        """Send nothing more of jobs whose platform does not answer any more: another one does.

        Args:
            leases: Of those jobs. Their parts are wanted again with their commits; of their logs
                the agent's files have all.
        """
        for lease in leases:
            self._desk.parts.forget(lease)
        self._desk.logs.forget_all()

    def _on_end(self, lease: str) -> Callable[[Ending, str], None]:
        def end(ending: Ending, reason: str) -> None:
            if ending == "lost":  # what a cancelled job computed is still delivered
                count = self._desk.journal.results_pending(lease)
                self._desk.journal.supersede(lease, reason)
                self._desk.counters.results.add("superseded", count)

        return end
