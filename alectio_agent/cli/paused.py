"""A pause of an agent that does not run: its file is written from here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alectio_agent.agent.journal.disk import FolderLock, SystemDisk
from alectio_agent.agent.journal.history import JOURNAL
from alectio_agent.agent.journal.last_life import last_life
from alectio_agent.agent.service.control.access import user_name
from alectio_agent.agent.service.control.pauses import FILE, Pauses
from alectio_agent.cli.sight import never_worked
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ControlDeniedError


@contextmanager
def resting(folder: Path) -> Iterator[Pauses]:
    """Hold the state folder of an agent that does not run, so that none starts meanwhile.

    Args:
        folder: Its state folder.

    Yields:
        Its pauses.

    Raises:
        UsageError: No agent has worked there.
        ControlDeniedError: The folder belongs to another user.
        StoreBusyError: An agent has just begun.
    """
    if not (folder / JOURNAL).is_file():
        raise never_worked(folder)
    if not os.access(folder, os.W_OK):
        owner = user_name(folder.stat().st_uid)
        raise ControlDeniedError(
            f"{folder}: no agent is running, and only `{owner}` may write into this folder",
            hint=f"Run the command as that user: sudo -u {owner} alectio-agent ...",
        )
    life = last_life(folder)  # before traces of this command are among those of the agent
    lock = FolderLock(folder)
    try:
        lock.note(life.note)
        yield Pauses(SystemDisk(), folder, SystemClock())
        _give_to_owner(folder)
    finally:
        lock.release()


def _give_to_owner(folder: Path) -> None:
    """What root wrote, the agent must be able to read."""
    found = folder.stat()
    if os.geteuid() == 0 and found.st_uid != 0 and (folder / FILE).exists():
        os.chown(folder / FILE, found.st_uid, found.st_gid)
