"""Looks for a module in the other Python environments of this machine, to name it in a message."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

OLDEST_MINOR = 9
MOST_ENTRIES = 200
CONDA = ("*conda*", "*forge*", "*mamba*")
VENV_NAMES = (".venv", "venv", "env", ".env")


@dataclass(frozen=True)
class Places:
    """Where environments usually lie.

    Attributes:
        near: Folders of the project; a virtual environment may lie in one of them or beside it.
        home: Of the user.
    """

    near: tuple[Path, ...]
    home: Path
    opt: Path = Path("/opt")
    usr: Path = Path("/usr")


def find_elsewhere(module: str, python: Path, places: Places) -> Path | None:
    """An interpreter that has a module.

    Args:
        module: Top name, such as `torch`.
        python: The interpreter that does not have it.
        places: Where to look.

    Returns:
        Path of an interpreter, the nearest first; None when none was found.
    """
    own = python.parent.parent
    for prefix in _prefixes(own, places):
        interpreter = prefix / "bin/python3" if prefix == places.usr else prefix / "bin/python"
        if prefix != own and interpreter.exists() and _has(prefix, module):
            return interpreter
    return None


def _prefixes(own: Path, places: Places) -> Iterator[Path]:
    for folder in places.near:
        for around in (folder, folder.parent):
            yield from (around / name for name in VENV_NAMES)
    yield from (found for found in _inside(own.parent) if (found / "pyvenv.cfg").is_file())
    for root in (places.home, places.opt):
        for pattern in CONDA:
            for base in _matching(root, pattern):
                yield from _inside(base / "envs")
                yield base
    yield from _inside(places.home / ".conda/envs")
    yield from _inside(places.home / ".virtualenvs")
    yield places.usr


def _has(prefix: Path, module: str) -> bool:
    return any(
        (folder / module).is_dir()
        or (folder / f"{module}.py").is_file()
        or any(folder.glob(f"{module}.*.so"))
        for folder in _libraries(prefix)
    )


def _libraries(prefix: Path) -> Iterator[Path]:
    for inside in ("lib", "local/lib"):
        for library in _matching(prefix / inside, "python3*"):
            minor = re.fullmatch(r"python3(?:\.(\d+))?", library.name)
            if minor and (minor[1] is None or int(minor[1]) >= OLDEST_MINOR):
                yield from (library / "site-packages", library / "dist-packages")


def _inside(folder: Path) -> Iterable[Path]:
    return _matching(folder, "*")


def _matching(folder: Path, pattern: str) -> Iterable[Path]:
    try:
        return sorted(islice(folder.glob(pattern), MOST_ENTRIES))
    except OSError:
        return []
