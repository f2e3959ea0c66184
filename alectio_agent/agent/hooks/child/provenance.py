"""What a train runs with: interpreter, packages, arguments; nothing is imported to learn that."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MOST_PACKAGES = 2000
LONGEST = 100
SUFFIXES = (".dist-info", ".egg-info")
MOST_ITEMS = 200
LONGEST_TEXT = 500
DEEPEST = 5

# `torch-2.1.0+cu118`, `setuptools-68.1.2-py3.11`; what pip left half removed begins with `~`.
_ENTRY = re.compile(r"([A-Za-z0-9][\w.-]*?)-v?(\d[\w.+!]*)(?:-py\d[\d.]*)?", re.ASCII)
_RUNS = re.compile(r"[-_.]+")


def tell_interpreter() -> dict[str, Any]:
    """This interpreter: version, implementation, and version of each package by its name."""
    return {
        "version": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "packages": list_packages(sys.path),
    }


def list_packages(path: Iterable[Any]) -> dict[str, str]:
    """The packages that `import` would find, by the names of their metadata folders.

    Args:
        path: Folders, as in `sys.path`; what cannot be listed is passed over.

    Returns:
        Version by name, as `pip list` normalises names; what comes first on the path counts.
    """
    found: dict[str, str] = {}
    for folder in path:
        for entry in _entries(folder) if isinstance(folder, str) else []:
            told = _ENTRY.fullmatch(os.path.splitext(entry)[0])
            if told and len(found) < MOST_PACKAGES:
                name = _RUNS.sub("-", told[1]).lower()[:LONGEST]
                found.setdefault(name, told[2][:LONGEST])
    return dict(sorted(found.items()))


def plain_args(value: Any, depth: int = 0) -> Any:
    """Arguments as plain JSON, in bounded time: a script may keep a whole dataset among them.

    Args:
        value: Anything.
        depth: How deep it stands.

    Returns:
        Numbers, texts, lists and dicts; the name of its type in place of anything else.
    """
    # By exact type: methods of a class of the user's own must not run, let alone raise, in here.
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        return value if value.bit_length() < 64 else "<int>"
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if type(value) is str or type(value) is type(Path()):
        return str(value)[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    if depth < DEEPEST and type(value) in (list, tuple) and len(value) <= MOST_ITEMS:
        return [plain_args(item, depth + 1) for item in value]
    if depth < DEEPEST and type(value) is dict and len(value) <= MOST_ITEMS:
        return {
            str(plain_args(key, DEEPEST))[:LONGEST]: plain_args(item, depth + 1)
            for key, item in value.items()
        }
    return "<{}>".format(type(value).__name__[:LONGEST])


def _entries(folder: str) -> list[str]:
    """Metadata folders and files in a folder of the path, in order of their names."""
    try:
        return sorted(entry for entry in os.listdir(folder or ".") if entry.endswith(SUFFIXES))
    except (OSError, ValueError):  # a zip file, a folder that is not there, no path at all
        return []
