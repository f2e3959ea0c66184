"""The outbox as `outbox list` shows it, read from the state folder."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from alectio_agent.agent.journal.by_hand import Entry, entries
from alectio_agent.agent.journal.history import JOURNAL
from alectio_agent.agent.journal.remains import has_agent, read_remains
from alectio_agent.agent.journal.rows import SCHEMA_NUMBER
from alectio_agent.agent.service.control.status import Moment
from alectio_agent.cli.sight import check_sight, never_worked
from alectio_agent.core.errors import StoreError
from alectio_agent.core.sqlite import reading
from alectio_agent.wire.claims import Step

State = Literal["pending", "parked", "acknowledged", "superseded"]
STATES: dict[str, State] = {
    "pending": "pending", "parked": "parked", "settled": "acknowledged",
    "superseded": "superseded",
}  # fmt: skip


class OutboxEntry(BaseModel):
    """A message in the outbox.

    Attributes:
        job: `experiment/loop`.
        step: Whose result it is; of a failure the step that failed, if one did.
        kind: `commit` for a result, `fail` for a failure.
        state: `parked`: the platform refused it for good. `superseded`: another attempt counted.
        reason: Why it was parked or superseded; empty otherwise.
        size_bytes: Of the message, in which a small result lies, and of its files.
        since: Since when it waits; of one that waits no more, when that ended.
        key: The platform counts it once, however often it comes.
        platform_id: It goes nowhere else.
    """

    model_config = ConfigDict(frozen=True)

    job: str
    attempt: int
    step: Step | None
    kind: Literal["commit", "fail"]
    state: State
    reason: str
    size_bytes: int
    since: Moment | None
    key: str
    platform_id: str


class OutboxView(BaseModel):
    """The outbox of an agent.

    Attributes:
        results: In the order in which they go out.
        problems: What in the state folder cannot be used, and why.
    """

    model_config = ConfigDict(frozen=True)

    results: list[OutboxEntry]
    problems: list[str]


def read_outbox(folder: Path, *, are_all: bool) -> tuple[list[OutboxEntry], list[str]]:
    """Read the outbox of an agent that may run.

    Args:
        folder: Its state folder.
        are_all: Also what was delivered.

    Returns:
        The messages, and what is wrong.

    Raises:
        UsageError: No agent has worked there.
        ControlDeniedError: This user may not look.
    """
    check_folder(folder)
    found = read_remains(folder)
    shown = found.waiting
    if are_all:
        try:
            with reading(folder / JOURNAL, SCHEMA_NUMBER) as run:
                shown = entries(run, are_all=True)
        except StoreError:
            pass  # it is among the problems, and what was found without it is shown
    return [_entry(each) for each in shown], found.problems


def check_folder(folder: Path) -> None:
    """Whether there is an agent's state folder that this user may look into.

    Args:
        folder: Its path.

    Raises:
        UsageError: No agent has worked there.
        ControlDeniedError: This user may not look.
    """
    check_sight(folder)
    if not has_agent(folder):
        raise never_worked(folder)


def _entry(entry: Entry) -> OutboxEntry:
    told = {name: getattr(entry, name) for name in OutboxEntry.model_fields if hasattr(entry, name)}
    since = entry.ended_at or entry.created_at or None
    return OutboxEntry.model_validate({**told, "state": STATES[entry.state], "since": since})
