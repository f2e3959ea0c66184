"""Partial checkpoints: what a hook saved in the middle of `train`, for the next attempt here.

One lies under `<ckpt_file>.partial`, a file or a folder, and never counts as a checkpoint. It goes
when the loop is trained.
"""

import hashlib
import logging
import re
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.hooks.checkpoints import PARTIAL, lies_under, names_in, remove_path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Left:
    """Something that an interrupted train left: a partial checkpoint, or a file on its way to one.

    Attributes:
        lying: Name of the file or folder.
        ckpt_file: The checkpoint that it was to become.
    """

    lying: str
    ckpt_file: str
    loop: int
    attempt: int

    @property
    def is_whole(self) -> bool:
        """Whether it may be gone on from; anything behind the name marks a temporary file."""
        return self.lying == f"{self.ckpt_file}{PARTIAL}"


def held_partials(folder: Path) -> list[str]:
    """The partial checkpoints that lie in an experiment's folder.

    Args:
        folder: Named after the experiment; may be missing.

    Returns:
        Their names as the platform knows them, sorted.
    """
    return sorted(left.lying for left in _found(folder) if left.is_whole)


def newest_partial(folder: Path, loop: int) -> str | None:
    """The partial checkpoint that the next attempt at a loop goes on from.

    Args:
        folder: Named after the experiment; may be missing.
        loop: The loop.

    Returns:
        Of the latest attempt at it that left one; None when none did.
    """
    found = [left for left in _found(folder) if left.is_whole and left.loop == loop]
    return max(found, key=lambda left: left.attempt).lying if found else None


def take_partial(folder: Path, loop: int, origin: str) -> str | None:
    """Find what `train` may go on from, just before it runs.

    Checkpoints have the same names in every experiment of one name. What was left by another
    experiment, or was trained on other samples, is removed.

    Args:
        folder: Of the experiment; exists.
        loop: The loop.
        origin: From `origin_of`: what this train is about.

    Returns:
        As `newest_partial`.
    """
    found = newest_partial(folder, loop)
    if found is not None and _origin_noted(folder) not in (origin, None):
        log.warning("%s/%s is of another experiment or of other samples: removed", folder, found)
        remove_partials(folder, loop)
        found = None
    with suppress(OSError):
        _note(folder).write_text(origin)
    return found


def remove_partials(folder: Path, loop: int) -> None:
    """Remove what interrupted trains of a loop left, and of those before it: they are trained.

    Args:
        folder: Named after the experiment; may be missing.
        loop: The loop.
    """
    for left in _found(folder):
        if left.loop <= loop:
            remove_path(folder / left.lying)
    _note(folder).unlink(missing_ok=True)


def stopped_at_partial(folder: Path, ckpt_file: str) -> bool:
    """Whether `train` saved a partial checkpoint and no whole one.

    Args:
        folder: Of the experiment.
        ckpt_file: The name that it was to write.
    """
    return f"{ckpt_file}{PARTIAL}" in names_in(folder) and not lies_under(folder, ckpt_file)


def origin_of(experiment_id: str, loop: int, labeled: Sequence[int]) -> str:
    """What a train is about: a partial checkpoint with another origin is not for it.

    Args:
        experiment_id: The platform's.
        loop: Of the experiment.
        labeled: What it trains on, in increasing order.
    """
    samples = labeled.tobytes() if isinstance(labeled, array) else repr(list(labeled)).encode()
    return hashlib.sha256(f"{experiment_id} {loop} ".encode() + samples).hexdigest()


def _found(folder: Path) -> list[_Left]:
    pattern = re.compile(
        rf"({re.escape(folder.name)}-ckpt_(\d+)(?:-a(\d+))?)(?:[._].*)?\{PARTIAL}(?:[._].*)?"
    )
    found = (pattern.fullmatch(name) for name in names_in(folder))
    return [_Left(m[0], m[1], int(m[2]), int(m[3] or 1)) for m in found if m]


def _origin_noted(folder: Path) -> str | None:
    """Origin of the last train in a folder; None when it is not known: then it is believed."""
    with suppress(OSError):
        return _note(folder).read_text(errors="replace")
    return None


def _note(folder: Path) -> Path:
    """Beside the experiment's folder: hooks look for files in there."""
    return folder.parent / f".{folder.name}.training"
