"""Which files a hook wrote beside its checkpoints."""

import os
from collections.abc import Collection
from pathlib import Path

MOST_FILES = 20_000
"""A data folder may hold millions; a look must not take longer than the hook."""

PASSED_OVER = {"__pycache__", ".git", ".venv", "venv", "node_modules", ".ipynb_checkpoints"}

Snapshot = dict[str, tuple[int, int, int]]
"""Path inside the folder, to what changes whenever the file is written."""


def snapshot(folder: Path, ignored: Collection[Path]) -> Snapshot | None:
    """The files below a folder.

    Args:
        folder: Where hooks run.
        ignored: Folders that are passed over, with all below them.

    Returns:
        None when there are too many files to look at.
    """
    closed = {path.resolve() for path in ignored}
    found: Snapshot = {}
    for inside, folders, files in os.walk(folder.resolve()):
        here = Path(inside)
        folders[:] = [
            name for name in folders if name not in PASSED_OVER and here / name not in closed
        ]
        for name in files:
            state = _state(here / name)
            if state is not None:
                found[str((here / name).relative_to(folder.resolve()))] = state
        if len(found) > MOST_FILES:
            return None
    return found


def written_between(before: Snapshot | None, after: Snapshot | None) -> list[str]:
    """Files that are new or were written.

    Args:
        before: An earlier look.
        after: A later one.

    Returns:
        Paths inside the folder, sorted; none when either look was given up.
    """
    if before is None or after is None:
        return []
    return sorted(path for path, state in after.items() if before.get(path) != state)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.lstat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
