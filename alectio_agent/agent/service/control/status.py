"""The document that `status` prints: how it stands with an agent, running or not."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from alectio_agent.wire.claims import Step

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339 in UTC."""


class Told(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class JobStatus(Told):
    """A job in hand.

    Attributes:
        slot: Its position in `slots` of the configuration; null while no agent runs.
        job: `experiment/loop`.
        loops: How many the experiment has; null while no agent runs.
        step: That runs now; null between two.
        steps_done: Those whose result is on disk.
        done: As the hook counts; null when it says nothing.
        total: What it counts up to.
        numbers: What else it said, such as a loss.
        left_s: Seconds that the running step still takes, by its own count; null while that
            does not tell.
    """

    slot: int | None
    job: str
    loops: int | None
    attempt: int
    began_at: Moment
    step: Step | None
    step_began_at: Moment | None
    steps_done: list[Step]
    done: float | None
    total: float | None
    numbers: dict[str, float]
    left_s: float | None


class ContactStatus(Told):
    """How it stands with the platform.

    Attributes:
        url: Of the platform; `embedded` for the hub in the box.
        platform_id: Null before the first registration.
        last_at: When it answered last, in this life of the agent.
        silent_since: Since when no answer comes; null while answers come.
        last_error: Why no answer came, the last time that none came; empty for never.
        sent_bytes: In this life of the agent.
    """

    url: str
    platform_id: str | None = None
    last_at: Moment | None = None
    silent_since: Moment | None = None
    last_error: str = ""
    last_error_at: Moment | None = None
    sent_bytes: int = 0


class OutboxStatus(Told):
    """What lies in the outbox, for any platform.

    Attributes:
        pending: Messages that were not acknowledged yet: results, and failures.
        parked: Results that the platform refused.
    """

    pending: int = 0
    pending_bytes: int = 0
    parked: int = 0
    parked_bytes: int = 0


class CheckpointStatus(Told):
    """The checkpoints of a pipeline on this machine.

    Attributes:
        held: Number by experiment.
    """

    pipeline: str
    folder: str
    held: dict[str, int]


class DiskStatus(Told):
    """A disk that the agent writes to.

    Attributes:
        free_bytes: Null when that cannot be told.
    """

    folder: str
    free_bytes: int | None


class PauseStatus(Told):
    """A pause of this agent by a person.

    Attributes:
        until: Null for no end.
    """

    since: Moment
    until: Moment | None
    note: str


class Status(Told):
    """How it stands with an agent.

    Attributes:
        state: Of an agent that does not run: `stopped` when its last end was in order, `killed`
            when it was not (a crash, a power cut), `unknown` when that cannot be told.
        since: Since when it is in that state. Of one that was killed: the last sign of life.
        started_at: When its newest life began.
        boot: How many lives it had.
        version: Of the agent that runs; null when none does.
        installed: Of the files that its next start takes.
        needs_restart: Both are there, and differ.
        slots: How many jobs it runs at once.
        held_back: Why it asks for no job; empty while it does.
        trouble: Why the platform gives it no work; empty while nothing is wrong.
        failing: What failed again and again, and why.
        problems: What in the state folder cannot be used, and why.
    """

    name: str
    is_running: bool
    state: Literal["starting", "idle", "working", "stopping", "stopped", "killed", "unknown"]
    since: Moment | None = None
    started_at: Moment | None = None
    pid: int | None = None
    boot: int | None = None
    version: str | None = None
    installed: str
    needs_restart: bool = False
    folder: str
    slots: int
    jobs: list[JobStatus] = []
    platform: ContactStatus
    outbox: OutboxStatus
    checkpoints: list[CheckpointStatus] = []
    disks: list[DiskStatus] = []
    paused: PauseStatus | None = None
    held_back: str = ""
    trouble: str = ""
    failing: dict[str, str] = {}
    problems: list[str] = []
