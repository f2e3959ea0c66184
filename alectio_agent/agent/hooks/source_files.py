"""Finds the user's own source files below a folder, in bounded time, whatever else lies there."""

import os
from collections import deque
from collections.abc import Collection
from itertools import islice
from pathlib import Path

MOST_FILES = 500
MOST_ENTRIES = 10_000
MOST_IN_FOLDER = 1_000
"""A folder with more entries holds data."""

NO_SOURCES = frozenset({"__pycache__", "site-packages", "dist-packages", "node_modules"})
INSTALLED_MARKS = frozenset({"pyvenv.cfg", "conda-meta", "agent.db"})
"""A folder with one of these is a virtual environment, or the state of an agent."""


def find_sources(root: Path, skipped: Collection[Path]) -> tuple[list[Path], bool]:
    """All `.py` files of the user's below a folder; links to folders are not followed.

    Args:
        root: Where to look.
        skipped: Folders to pass over, besides hidden ones and installed packages.

    Returns:
        The files, those nearest to the root first, and whether every folder was looked at.
    """
    found: list[Path] = []
    passed = {str(folder) for folder in skipped}
    left, is_whole = MOST_ENTRIES, True
    folders = deque([str(root)])
    while folders and len(found) < MOST_FILES:
        folder = folders.popleft()
        entries = _entries(folder, min(left, MOST_IN_FOLDER))
        if entries is None:
            is_whole = False
            continue
        left -= len(entries)
        if folder != str(root) and INSTALLED_MARKS.intersection(e.name for e in entries):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in NO_SOURCES and entry.path not in passed:
                    folders.append(entry.path)
            elif entry.name.endswith(".py"):
                found.append(Path(entry.path))
    return found[:MOST_FILES], is_whole and not folders and len(found) <= MOST_FILES


def _entries(folder: str, most: int) -> list[os.DirEntry[str]] | None:
    """What is in a folder, in order of names, less what is hidden; None when that is too much."""
    try:
        with os.scandir(folder) as listed:
            entries = list(islice(listed, most + 1))
    except OSError:
        return None
    if len(entries) > most:
        return None
    return sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
