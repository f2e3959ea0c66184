"""The journal of an agent that does not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alectio_agent.agent.journal.checking import check_journal
from alectio_agent.agent.journal.history import JOURNAL
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.cli.paused import resting
from alectio_agent.core.clock import SystemClock


@contextmanager
def resting_journal(folder: Path) -> Iterator[Journal]:
    """Hold the state folder, so that no agent starts meanwhile, and open its journal.

    Args:
        folder: Its state folder.

    Yields:
        The journal.

    Raises:
        UsageError: No agent has worked there.
        ControlDeniedError: The folder belongs to another user.
        StoreBusyError: An agent has just begun.
        StoreDamagedError: The journal is damaged; the next start makes it anew.
    """
    with resting(folder):
        check_journal(folder / JOURNAL)
        journal = Journal(folder / JOURNAL, SystemClock())
        try:
            yield journal
        finally:
            journal.close()
