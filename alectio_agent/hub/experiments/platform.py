"""The platform as the API calls it: each method is one piece of work in a transaction."""  # noqa: A005 - always imported by its full name

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments import (
    agent_views,
    asking,
    beats,
    commits,
    creation,
    editing,
    extension,
    failures,
    job_log_files,
    job_logs,
    job_views,
    label_checks,
    label_import,
    label_queue,
    labelling,
    losses,
    parts,
    reassignment,
    record_names,
    registry,
    removal,
    results_document,
    rewinding,
    steering,
    summaries,
    views,
)
from alectio_agent.hub.experiments.awake import AwakeClock
from alectio_agent.hub.experiments.board import Board
from alectio_agent.hub.experiments.claiming import Claiming
from alectio_agent.hub.experiments.contacts import Contacts
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.due import Due
from alectio_agent.hub.experiments.leases import Leases
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.polls import Polls
from alectio_agent.hub.experiments.result_checks import Expected
from alectio_agent.hub.experiments.roll import Roll
from alectio_agent.hub.experiments.supply import Supplies
from alectio_agent.hub.experiments.turns import Turns
from alectio_agent.hub.store.schema import meta_value
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.agents import ProtocolRange, Registered, Registration
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.labels import LabelImport, LabelQueue, LabelsImported
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.operation import (
    AgentList,
    AgentView,
    ExperimentExtend,
    ExperimentList,
    ExperimentRetry,
    ExperimentRewind,
    ExperimentUpdate,
    ExperimentView,
    JobList,
)
from alectio_agent.wire.protocol import LEASE_S, MAX_PART_BYTES, PROTOCOL
from alectio_agent.wire.results import Heartbeat, HeartbeatAnswer, JobFailure, StepCommit


class Platform:
    """Experiments, jobs, agents. Methods with a transaction raise ProblemError to refuse."""

    def __init__(self, data: Path, results: Path, clock: Clock) -> None:
        """Start with nothing in memory.

        Args:
            data: The hub's folder; parts, logs and record names lie in folders inside.
            results: Folder of results files.
            clock: For leases and times.
        """
        awake = AwakeClock(clock)
        contacts = Contacts(awake)
        self.context = Context(
            clock=awake,
            contacts=contacts,
            leases=Leases(awake, contacts),
            due=Due(),
            parts=data / "parts",
            results=results,
            logs=data / "logs",
            names=NameFiles(data / "names"),
            roll=Roll(),
            board=Board(),
            polls=Polls(awake),
            supplies=Supplies(contacts),
            turns=Turns(awake),
        )
        self.claiming = Claiming(self.context)
        """Polls of agents, and the jobs that they get."""
        self._views = views.Views(self.context)
        self._summaries = summaries.Summaries(self.context)
        self.logs_arrived = 0
        """Grows with every piece of a log."""

    @property
    def may_have_claims(self) -> bool:
        """Whether anything has a time limit, so that `tick` is to be called about once a second."""
        return self.context.leases.may_have_claims

    def turn(self, next_s: float) -> float:
        """Say that the hub is awake: time counts until `next_s` and a little more are over.

        Gives the seconds since it was last said that do not count.
        """
        return self.context.clock.turn(next_s)

    def platform_id(self, tx: Connection) -> str:
        """The identity of this platform, as long as its database lives."""
        return meta_value(tx, "platform_id")

    def register(self, tx: Connection, said: Registration) -> Registered:
        """Take an agent in; refuses `superseded-boot`."""
        return Registered(
            agent_id=registry.register(tx, self.context, said),
            platform_id=self.platform_id(tx),
            lease_s=LEASE_S,
            poll_wait_s=self.claiming.poll_wait_s,
            max_part_bytes=MAX_PART_BYTES,
            protocol=ProtocolRange(min=PROTOCOL, max=PROTOCOL),
            names_wanted=record_names.wanted_names(self.context, said),
        )

    def leave(self, tx: Connection, agent_id: str) -> None:
        """Let an agent go."""
        registry.leave(tx, self.context, agent_id)

    def remove_agent(self, tx: Connection, agent_id: str, *, is_forced: bool) -> AgentView:
        """Forget an agent that is gone; refuses `not-found`, `conflict`."""
        return removal.remove_agent(tx, self.context, agent_id, is_forced=is_forced)

    def beat(self, job_id: str, lease: str, said: Heartbeat) -> HeartbeatAnswer | None:
        """Take a beat in memory; None when `heartbeat` must be asked."""
        is_good = self.context.leases.renew(job_id, lease, said)
        return HeartbeatAnswer(cancel=None) if is_good else None

    def heartbeat(
        self, tx: Connection, job_id: str, lease: str, said: Heartbeat
    ) -> HeartbeatAnswer:
        """Take a beat that the tables are asked about; refuses `lease-lost`, `job-closed`."""
        return beats.heartbeat(tx, self.context, job_id, lease, said)

    def commit(
        self, tx: Connection, job_id: str, step: str, lease: str, said: StepCommit
    ) -> ProblemError | None:
        """Count a result; refuses `key-reused`, `lease-lost`, `parts-missing`, `invalid`.

        Gives a refusal that is to be told once the transaction is durable.
        """
        return commits.commit(tx, self.context, job_id, step, lease, said)

    def expected(
        self, tx: Connection, job_id: str, step: str, lease: str, said: StepCommit
    ) -> Expected | None:
        """Say what parts must fit, None if they were counted before; refuses as `commit` does."""
        return commits.expected(tx, self.context, job_id, step, lease, said)

    def fail(self, tx: Connection, job_id: str, lease: str, said: JobFailure) -> None:
        """Take note of a failure; refuses `key-reused`, `lease-lost`."""
        failures.fail(tx, self.context, job_id, lease, said)

    def check_part(self, tx: Connection, job_id: str, lease: str, sha256: str) -> None:
        """Say whether a part may be sent; refuses `lease-lost`, `job-closed`."""
        parts.check_part(tx, job_id, lease, sha256)

    def part_arrived(self, tx: Connection, job_id: str, sha256: str, size_bytes: int) -> None:
        """Note a part that is durable in its file."""
        parts.part_arrived(tx, self.context, job_id, sha256, size_bytes)

    def may_send(self, job_id: str, lease: str) -> bool:
        """Whether parts may be sent, as far as memory knows; if not, `check_part` must be asked."""
        return self.context.leases.is_trusted(job_id, lease)

    def is_over(self, tx: Connection, job_id: str) -> bool:
        """Whether no attempt can send parts for a job any more."""
        return parts.is_over(tx, job_id)

    def part_path(self, job_id: str, sha256: str) -> Path:
        """Where a part lies; its folder need not exist."""
        return parts.part_path(self.context, job_id, sha256)

    def check_log(self, tx: Connection, job_id: str, lease: str, attempt: int) -> None:
        """Say whether text of a log may be sent; refuses `lease-lost`, `invalid`."""
        job_logs.check_log(tx, job_id, lease, attempt)

    def put_log(self, job_id: str, attempt: int, offset: int, text: bytes) -> int:
        """Keep text of a log; gives where it ends without a gap. Refuses `invalid`."""
        end = job_log_files.put_text(self.context, job_id, attempt, offset, text)
        self.logs_arrived += 1
        return end

    def check_job(self, tx: Connection, job_id: str) -> None:
        """Say whether there is such a job; refuses `not-found`."""
        job_logs.check_job(tx, job_id)

    def job_of_loop(self, tx: Connection, name: str, loop: int) -> str:
        """The id of the job that a loop is; refuses `not-found`."""
        return job_logs.job_of_loop(tx, name, loop)

    def read_log(self, job_id: str, attempt: int | None, offset: int) -> LogText | None:
        """Some text of a log; None when nothing of it has come."""
        return job_log_files.read_range(self.context, job_id, attempt, offset)

    def names_count(self, tx: Connection, agent_id: str, digest: str) -> int:
        """How many names of that digest an agent has; refuses `unknown-agent`, `invalid`."""
        return record_names.offered_count(tx, agent_id, digest)

    @property
    def names(self) -> NameFiles:
        """The files of record names."""
        return self.context.names

    def names_arrived(self, tx: Connection, digest: str) -> None:
        """Record names are in place: results files may show them."""
        record_names.names_arrived(tx, self.context, digest)

    def tick(self, tx: Connection) -> None:
        """Take back claims that were never started; offer jobs that fell silent elsewhere.

        Loops that wait for labels go on when their time is up.
        """
        is_claimed = losses.tick(tx, self.context)
        if not labelling.look_at_times(tx, self.context) and not is_claimed:
            after_commit(tx, self.context.leases.rest)

    def create(
        self, tx: Connection, settings: ExperimentSettings, series: str | None = None
    ) -> ExperimentView:
        """Make an experiment, once; refuses `conflict`, `invalid`."""
        creation.create(tx, self.context, settings, series)
        return self.show(tx, settings.name)

    def retry(
        self, tx: Connection, name: str, said: ExperimentRetry | None = None
    ) -> ExperimentView:
        """Try again what waits for a person; refuses `not-found`, `conflict`."""
        is_from_train = said is not None and said.step == "train"
        steering.retry(tx, self.context, name, is_from_train=is_from_train)
        return self.show(tx, name)

    def pause(self, tx: Connection, name: str) -> ExperimentView:
        """Give out no further job; refuses `not-found`, `conflict`."""
        steering.pause(tx, self.context, name)
        return self.show(tx, name)

    def resume(self, tx: Connection, name: str) -> ExperimentView:
        """Go on after a pause; refuses `not-found`, `conflict`."""
        steering.resume(tx, self.context, name)
        return self.show(tx, name)

    def cancel(self, tx: Connection, name: str) -> ExperimentView:
        """End an experiment for good; refuses `not-found`, `conflict`."""
        steering.cancel(tx, self.context, name)
        return self.show(tx, name)

    def rewind(self, tx: Connection, name: str, said: ExperimentRewind) -> ExperimentView:
        """Undo the newest loops, so that they run again; refuses `not-found`, `conflict`."""
        rewinding.rewind(tx, self.context, name, said.loops)
        return self.show(tx, name)

    def reassign(self, tx: Connection, name: str) -> ExperimentView:
        """Offer the newest job to any agent now; refuses `not-found`, `conflict`."""
        reassignment.reassign(tx, self.context, name)
        return self.show(tx, name)

    def update(self, tx: Connection, name: str, said: ExperimentUpdate) -> ExperimentView:
        """Go on with other settings; refuses `not-found`, `conflict`, `invalid`."""
        editing.update(tx, self.context, name, said.settings)
        return self.show(tx, name)

    def extend(self, tx: Connection, name: str, said: ExperimentExtend) -> ExperimentView:
        """More samples, more loops; refuses `not-found`, `conflict`, `invalid`."""
        extension.extend(tx, self.context, name, said.pool, said.loops)
        return self.show(tx, name)

    def import_labels(
        self,
        tx: Connection,
        name: str,
        said: LabelImport,
        checked: label_checks.Checked | None = None,
    ) -> LabelsImported:
        """Take labels by people, all or none; refuses `not-found`, `conflict`, `invalid`."""
        return label_import.import_labels(tx, self.context, name, said, checked)

    def see_labels(self, tx: Connection, name: str) -> label_checks.Seen:
        """Read what `check_labels` needs; refuses `not-found`, `conflict`."""
        return label_checks.see(tx, name)

    def check_labels(self, seen: label_checks.Seen, said: LabelImport) -> label_checks.Checked:
        """Work out what `import_labels` is to do, outside of transactions; refuses `invalid`."""
        return label_checks.check(seen, said, self.context.now())

    def label_queue(self, tx: Connection, name: str, *, is_whole: bool) -> LabelQueue:
        """Say which samples people are asked for; refuses `not-found`, `conflict`."""
        return label_queue.label_queue(tx, self.context, name, is_whole=is_whole)

    def asking(self, tx: Connection) -> Sequence[asking.Asking]:
        """All experiments that ask people for labels, those that lack some first."""
        return asking.list_asking(tx)

    def history(self, tx: Connection, name: str) -> dict[str, Any]:
        """Everything that is kept of an experiment; refuses `not-found`."""
        return results_document.read_document(tx, name, self.context.names)

    def show(self, tx: Connection, name: str) -> ExperimentView:
        """Show an experiment with its loops; refuses `not-found`."""
        return self._views.show(tx, name)

    def list(self, tx: Connection) -> ExperimentList:
        """List all experiments, without their loops."""
        return self._views.list_experiments(tx)

    def jobs(self, tx: Connection) -> JobList:
        """List all jobs that are not done, oldest first."""
        return JobList(jobs=job_views.list_jobs(tx, self.context))

    def agents(self, tx: Connection) -> AgentList:
        """List all agents that ever registered."""
        return AgentList(agents=agent_views.list_agents(tx, self.context))

    def summaries(self, tx: Connection) -> Sequence[summaries.Summary]:
        """All experiments in a line each, the newest first."""
        return self._summaries.read(tx)
