"""Opens `agent.db`; one that is damaged is moved aside, and made anew."""

import logging
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.journal.aside import beside, has_content, move_aside
from alectio_agent.agent.journal.checking import check_journal
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreDamagedError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenedJournal:
    """The agent's memory.

    Attributes:
        is_new: It knows nothing of an earlier life of this agent, even if there was one.
        is_told: An earlier one was moved aside, and that was said.
    """

    journal: Journal
    is_new: bool
    is_told: bool = False


def open_journal(file: Path, clock: Clock) -> OpenedJournal:
    """Open the journal, whatever is there in its place.

    Args:
        file: `<state_dir>/agent.db`; the folder is locked.
        clock: Of the journal, and for the name of what is moved aside.

    Returns:
        The journal; what a damaged one held is found again in the outbox.

    Raises:
        StoreVersionError: A newer version wrote it.
        StoreError: It may not be read or written.
    """
    is_new = not has_content(file)
    is_left = is_new and has_content(beside(file, "-wal"))
    if is_left:
        # SQLite would throw away a log without its database, and the last claims with it.
        _move_aside(file, clock, f"{file}: gone, but not its write-ahead log")
    try:
        if not is_new:
            check_journal(file)
        return OpenedJournal(Journal(file, clock), is_new, is_told=is_left)
    except StoreDamagedError as error:
        _move_aside(file, clock, error.message)
        return OpenedJournal(Journal(file, clock), is_new=True, is_told=True)


def _move_aside(file: Path, clock: Clock, why: str) -> None:
    target = move_aside(file, clock)
    log.error(
        "E-DISK-04  %s. Kept as %s; the journal is made anew from the results in the outbox. What "
        "was claimed and has no result goes back to the platform",
        why,
        target.name,
    )
