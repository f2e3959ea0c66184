"""Replaces files whole: a reader sees the one before or the new one, after a power cut too."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_TEMPORARY = re.compile(r"\..+\.([0-9]+)\.new", re.DOTALL)
"""With the number of the process that writes it."""


def write_text(path: Path, text: str) -> bool:
    """Write a file, unless it says the same already.

    Args:
        path: Its folder exists.
        text: All of it. A half character (JSON can hold one) is written as its escape.

    Returns:
        Whether it was written.
    """
    content = text.encode("utf-8", "backslashreplace")
    with suppress(OSError):
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return False
    with replacing(path) as file:
        file.write(content)
    return True


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file beside its place, then put it there.

    Args:
        path: Its folder exists.

    Yields:
        To be written; when the caller raises, the file at its place stays as it was.
    """
    temporary = _beside(path)
    try:
        with temporary.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def put_same(source: Path, path: Path) -> None:
    """Have the content of a durable file under another name, without a copy where that works.

    Args:
        source: Does not change; is made read-only, since a program that writes into the new name
            would change it too.
        path: Its folder exists.
    """
    temporary = _beside(path)
    try:
        os.link(source, temporary)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        with source.open("rb") as content, replacing(path) as file:
            shutil.copyfileobj(content, file, 1 << 20)
        return
    source.chmod(0o444 & ~_umask())
    temporary.replace(path)
    # A rename between two names of one file does nothing, and leaves both.
    temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A name of this process's own: that of a killed hub may still write beside the next one's."""
    _drop_leftovers(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)  # a killed process of the same number left it
    return temporary


def _drop_leftovers(folder: Path) -> None:
    for file in folder.glob(".*.new"):
        found = _TEMPORARY.fullmatch(file.name)
        if found and not _is_alive(int(found[1])):
            file.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found
