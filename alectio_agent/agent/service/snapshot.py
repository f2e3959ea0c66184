"""What an agent is doing, at one moment, for whoever looks: the live view, `status`."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alectio_agent.agent.client.traffic import Contact, Traffic
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.slot import EndedJob, Slot
from alectio_agent.agent.jobs.step_marks import Noted, StepMark
from alectio_agent.agent.journal.job_logs import JobLog
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.core.errors import StoreError

AgentState = Literal["starting", "idle", "working", "stopping"]


@dataclass(frozen=True)
class JobInHand:
    """The job that a slot works at.

    Attributes:
        began_s: When this agent took it up, by the monotonic clock.
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


@dataclass(frozen=True)
class AgentSnapshot:
    """One moment; times are of the monotonic clock.

    Attributes:
        name: As the platform knows the agent.
        job: In hand; None while there is none.
        ended: The last jobs of this life, oldest first.
        unsent: What waits in the outbox.
        contact: How it stands with the platform.
        trouble: Why the platform gives no work, in a line; empty while nothing is wrong.
        failing: What failed three times in a row or more (`polls`, `results`, `heartbeats`,
            `logs`, `names`), or at once (`disk`, `outbox`): the reason in
            words.
        free_bytes: On the disk of the state folder; None when that cannot be told.
        stops_asked: How often somebody asked it to stop.
        at_s: When this was taken.
    """

    name: str
    state: AgentState
    job: JobInHand | None = None
    ended: tuple[EndedJob, ...] = ()
    unsent: Unsent = field(default_factory=Unsent)
    contact: Contact = field(default_factory=Contact)
    trouble: str = ""
    failing: Mapping[str, str] = field(default_factory=dict)
    free_bytes: int | None = None
    stops_asked: int = 0
    at_s: float = 0.0


@dataclass(frozen=True)
class Sources:
    """Where the parts of a snapshot come from; each may be read from any thread.

    Attributes:
        folder: The state folder.
        log_folder: Holds what hooks print.
        trouble: Tells why the platform gives no work.
        failing: Tells why each activity fails, in words; empty of one that does not.
    """

    name: str
    slot: Slot
    heartbeats: Heartbeats
    journal: Journal
    traffic: Traffic
    folder: Path
    log_folder: Path
    trouble: Callable[[], str]
    failing: Mapping[str, Callable[[], str]] = field(default_factory=dict)


def take_snapshot(
    sources: Sources, now_s: float, *, is_registered: bool, is_leaving: bool, stops_asked: int
) -> AgentSnapshot:
    """Read all parts.

    Args:
        sources: Where they come from.
        now_s: The time, by the monotonic clock.
        is_registered: The platform knows the agent.
        is_leaving: No further step is taken.
        stops_asked: How often somebody asked it to stop.
    """
    job = _job(sources)
    idle: AgentState = "idle" if is_registered else "starting"
    return AgentSnapshot(
        name=sources.name,
        state="stopping" if is_leaving else "working" if job else idle,
        job=job,
        ended=tuple(sources.slot.ended),
        unsent=_unsent(sources.journal),
        contact=sources.traffic.contact,
        trouble=sources.trouble(),
        failing={name: why for name, tell in sources.failing.items() if (why := tell())},
        free_bytes=_free_bytes(sources.folder),
        stops_asked=stops_asked,
        at_s=now_s,
    )


def _job(sources: Sources) -> JobInHand | None:
    run = sources.slot.in_hand
    if run is None:
        return None
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
    )


def _unsent(journal: Journal) -> Unsent:
    try:
        return journal.unsent()
    except StoreError:
        return Unsent()  # it is being closed: who looks must not be the one who stumbles


def _free_bytes(folder: Path) -> int | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
