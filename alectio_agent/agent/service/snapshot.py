"""What an agent is doing, at one moment, for whoever looks: the live view, `status`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alectio_agent.agent.client.traffic import Contact, Traffic
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.agent.jobs.slot import EndedJob
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.jobs.step_marks import Noted, StepMark
from alectio_agent.agent.journal.job_logs import JobLog
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.stop_plan import StopMode, StopPlan
from alectio_agent.core.errors import StoreError
from alectio_agent.core.free_disk import free_bytes

AgentState = Literal["starting", "idle", "working", "stopping"]


@dataclass(frozen=True)
class JobInHand:
    """The job that a slot works at.

    Attributes:
        began_s: When this agent took it up, by the monotonic clock.
        slot: Its position in `slots` of the configuration.
        noted: The newest progress of the running step; None when its hook says nothing.
        log_file: What its hooks print; need not exist yet.
    """

    job: str
    experiment: str
    loop: int
    loops: int
    attempt: int
    began_s: float
    steps: tuple[StepMark, ...]
    noted: Noted | None
    log_file: Path
    slot: int = 0


@dataclass(frozen=True)
class StopState:
    """How it stands with stopping.

    Attributes:
        asked: 0: nobody asked; 1: the running step ends by itself; 2: it is cancelled; 3: killed.
        when_stopped: What the next first asking does.
        plan: What the first asking did; None before it, and for some seconds after it.
        ends_s: When a step that ends by itself is cancelled, by the monotonic clock; None: never.
        asked_s: When the first asking came, by the same clock; None before it.
    """

    asked: int = 0
    when_stopped: StopMode = "finish"
    plan: StopPlan | None = None
    ends_s: float | None = None
    asked_s: float | None = None


@dataclass(frozen=True)
class AgentSnapshot:
    """One moment; times are of the monotonic clock.

    Attributes:
        name: As the platform knows the agent.
        jobs: In hand, in the order of their slots.
        ended: The last jobs of this life, oldest first.
        unsent: What waits in the outbox.
        contact: How it stands with the platform.
        trouble: Why the platform gives no work, in a line; empty while nothing is wrong.
        held_back: Why this agent asks for no job, in a line; empty while it does.
        failing: What failed three times in a row or more (`polls`, `results`, `heartbeats`,
            `logs`, `names`), or at once (`disk`, `outbox`, `token`: it ends soon): the reason in
            words.
        free_bytes: On the disk of the state folder; None when that cannot be told.
        stops: Who asked it to stop, and what comes of it.
        slots: How many jobs it may have in hand.
        since_s: Since when it is in its state; None when that is since its start.
        at_s: When this was taken.
    """

    name: str
    state: AgentState
    jobs: tuple[JobInHand, ...] = ()
    ended: tuple[EndedJob, ...] = ()
    unsent: Unsent = field(default_factory=Unsent)
    contact: Contact = field(default_factory=Contact)
    trouble: str = ""
    held_back: str = ""
    failing: Mapping[str, str] = field(default_factory=dict)
    free_bytes: int | None = None
    stops: StopState = field(default_factory=StopState)
    slots: int = 1
    since_s: float | None = None
    at_s: float = 0.0


@dataclass(frozen=True)
class Sources:
    """Where the parts of a snapshot come from; each may be read from any thread.

    Attributes:
        folder: The state folder.
        log_folder: Holds what hooks print.
        trouble: Tells why the platform gives no work.
        held_back: Tells why this agent asks for no job.
        failing: Tells why each activity fails, in words; empty of one that does not.
    """

    name: str
    slots: Slots
    heartbeats: Heartbeats
    journal: Journal
    traffic: Traffic
    folder: Path
    log_folder: Path
    trouble: Callable[[], str]
    held_back: Callable[[], str] = str
    failing: Mapping[str, Callable[[], str]] = field(default_factory=dict)


def take_snapshot(
    sources: Sources, now_s: float, *, is_registered: bool, is_leaving: bool, stops: StopState
) -> AgentSnapshot:
    """Read all parts.

    Args:
        sources: Where they come from.
        now_s: The time, by the monotonic clock.
        is_registered: The platform knows the agent.
        is_leaving: No further step is taken.
        stops: Who asked it to stop.
    """
    slots = sources.slots.all
    jobs = tuple(_job(sources, run, slot.number) for slot in slots if (run := slot.in_hand))
    idle: AgentState = "idle" if is_registered else "starting"
    state: AgentState = "stopping" if is_leaving else "working" if jobs else idle
    ended = tuple(sources.slots.ended)
    return AgentSnapshot(
        name=sources.name,
        state=state,
        jobs=jobs,
        ended=ended,
        unsent=_unsent(sources.journal),
        contact=sources.traffic.contact,
        trouble=sources.trouble(),
        held_back=sources.held_back(),
        failing={name: why for name, tell in sources.failing.items() if (why := tell())},
        free_bytes=_free_bytes(sources.folder),
        stops=stops,
        slots=len(slots),
        since_s=_since_s(state, jobs, ended, stops),
        at_s=now_s,
    )


def _since_s(
    state: AgentState, jobs: tuple[JobInHand, ...], ended: tuple[EndedJob, ...], stops: StopState
) -> float | None:
    if state == "stopping":
        return stops.asked_s
    if state == "working":
        return min(job.began_s for job in jobs)
    return ended[-1].at_s if state == "idle" and ended else None


def _job(sources: Sources, run: JobRun, slot: int) -> JobInHand:
    claim = run.claim
    return JobInHand(
        job=claim.job,
        experiment=claim.experiment,
        loop=claim.loop,
        loops=claim.loops,
        attempt=claim.attempt,
        began_s=run.began_s,
        steps=run.marks.all,
        noted=sources.heartbeats.noted(claim.lease),
        log_file=sources.log_folder / JobLog(claim.experiment, claim.loop, claim.attempt).file_name,
        slot=slot,
    )


def _unsent(journal: Journal) -> Unsent:
    try:
        return journal.unsent()
    except StoreError:
        return Unsent()  # it is being closed: who looks must not be the one who stumbles


def _free_bytes(folder: Path) -> int | None:
    try:
        return free_bytes(folder)
    except OSError:
        return None
