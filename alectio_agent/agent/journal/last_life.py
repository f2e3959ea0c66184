"""How the newest life of an agent that does not run ended, and when it gave its last sign."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from alectio_agent.agent.journal.history import JOURNAL
from alectio_agent.core.clock import timestamp

End = Literal["stopped", "killed", "unknown"]
LOCK = "lock"
TOUCHED = (JOURNAL, f"{JOURNAL}-wal", "identity.json", "outbox", "logs", "control.sock")
"""What changes while an agent lives."""
_ENDS: dict[str, End] = {"stopped": "stopped", "killed": "killed", "unknown": "unknown"}


@dataclass(frozen=True)
class LastLife:
    """The newest life of an agent, which is over.

    Attributes:
        end: `unknown` when that cannot be told.
        last_sign: Its newest trace; None without any.
    """

    end: End
    last_sign: datetime | None

    @property
    def note(self) -> str:
        """As it stands in the lock file, behind the process that held the lock last."""
        sign = "" if self.last_sign is None else timestamp(self.last_sign)
        return f"{self.end} {sign}".strip()


def last_life(folder: Path) -> LastLife:
    """Find out from the traces; nothing is changed.

    Commands such as `outbox retry` work in the folder while no agent runs, and leave traces of
    their own. They write into the lock file what they found, and that counts until an agent
    takes the lock, which empties the file.

    Args:
        folder: A state folder.
    """
    return _noted(folder / LOCK) or LastLife(_end(folder), _last_sign(folder))


def _noted(lock: Path) -> LastLife | None:
    try:
        _, _, note = lock.read_text("ascii").strip().partition("\n")
        end, _, sign = note.partition(" ")
        return LastLife(_ENDS[end], datetime.fromisoformat(sign) if sign else None)
    except (OSError, ValueError, KeyError):
        return None  # no command worked here since, or it was killed: the traces tell


def _end(folder: Path) -> End:
    """An end in order removes the socket, and closes the journal, which takes its log away."""
    if not (folder / JOURNAL).exists():
        return "unknown"
    is_left = any((folder / name).exists() for name in ("control.sock", f"{JOURNAL}-wal"))
    return "killed" if is_left else "stopped"


def _last_sign(folder: Path) -> datetime | None:
    # The last thing that an end in order changes is the folder itself.
    signs = [_changed(folder), *(_changed(folder / name) for name in TOUCHED)]
    with suppress(OSError):
        signs += [_changed(each) for each in (folder / "logs").iterdir()]
    return max((sign for sign in signs if sign is not None), default=None)


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:
        return None
