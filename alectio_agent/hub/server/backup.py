"""A copy of a hub's folder in one file, made while the hub works."""

import hashlib
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import StoreError, UsageError
from alectio_agent.hub.server.hub_file import HUB_FILE
from alectio_agent.hub.server.lock import LOCK_FILE
from alectio_agent.hub.server.settings import DATABASE
from alectio_agent.hub.store.copying import copy_database
from alectio_agent.wire.strict_json import dumps, loads

CODE = "E-HUB-08"
ANOTHER = "Do not rely on it: make another while the hub is there, or take an older one."
LIST = "backup.json"
"""The last file of a backup: the others, with sizes and digests."""
PIECE_BYTES = 2**20
_OF_A_PROCESS = {LOCK_FILE, HUB_FILE, LIST}


@dataclass(frozen=True)
class Backup:
    """What a backup holds.

    Attributes:
        made_at: RFC 3339.
        version: Of the package that made it.
        digests: Name of each file to its SHA-256.
        bytes: Of all files together.
    """

    made_at: str
    version: str
    digests: dict[str, str]
    bytes: int


class _Hashing:
    """A file that is read through, and whose digest is known afterwards."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.sha256.update(piece)
        return piece


def make_backup(data: Path, file: Path, clock: Clock) -> Backup:
    """Copy a hub's folder into a file.

    The tables first, all of one moment, then the files that they name: what arrives in between is
    in no table of the copy, and what is deleted in between is made again by the hub that goes on
    from it.

    Args:
        data: The hub's folder; a hub may work in it.
        file: A tar archive, packed when its name ends with `gz`; does not exist yet.
        clock: For when it was made.

    Returns:
        What it holds; the file was read again.

    Raises:
        UsageError: The file is there.
        StoreError: It could not be made; nothing is left of it.
    """
    if os.path.lexists(file):
        raise UsageError(
            f"{file} is there already; a backup overwrites nothing",
            hint="Give it another name, such as one with the date.",
            code=CODE,
        )
    tables, archive = (file.with_name(f".{file.name}.{end}") for end in ("db", "new"))
    try:
        _remove(tables, archive)
        tables.touch(0o600)
        copy_database(data / DATABASE, tables)
        _pack(data, tables, archive, timestamp(clock.now()))
        made = read_backup(archive)
        archive.rename(file)
        sync_folder(file.absolute().parent)
    except StoreError as error:
        raise StoreError(error.message, hint=error.hint, code=CODE) from error
    except (OSError, tarfile.TarError) as error:
        raise StoreError(f"{file} cannot be written ({_reason(error)})", code=CODE) from error
    finally:
        _remove(tables, archive)
    return made


def read_backup(file: Path) -> Backup:
    """Read all of a backup, and compare it with the list that it ends with.

    Args:
        file: As `make_backup` wrote it.

    Returns:
        What it holds.

    Raises:
        StoreError: It is none, or is damaged.
    """
    digests, total, said = dict[str, str](), 0, b""
    try:
        with tarfile.open(file) as packed:
            for member in packed:
                found = packed.extractfile(member)
                if found is None:
                    continue
                if member.name == LIST:
                    said = found.read()
                    continue
                digests[member.name] = hashlib.file_digest(
                    cast("BytesIO", found), "sha256"
                ).hexdigest()
                total += member.size
        listed: Any = loads(said)
        is_whole = listed["files"] == digests
        made = Backup(str(listed["made_at"]), str(listed["version"]), digests, total)
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        text = f"{file} is no backup that can be read ({_reason(error)})"
        raise StoreError(text, hint=ANOTHER, code=CODE) from error
    if not is_whole:
        text = f"{file} is damaged: it does not hold what its list says"
        raise StoreError(text, hint=ANOTHER, code=CODE)
    return made


def _pack(data: Path, tables: Path, archive: Path, made_at: str) -> None:
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        is_packed = archive.name.removesuffix(".new").endswith("gz")
        with tarfile.open(fileobj=opened, mode="w:gz" if is_packed else "w") as packed:
            digests = {DATABASE: _add(packed, tables, DATABASE)}
            for path in _files(data):
                name = path.relative_to(data).as_posix()
                try:
                    digests[name] = _add(packed, path, name)
                except FileNotFoundError:
                    continue  # deleted meanwhile: no table needs it any more
            listed = {"made_at": made_at, "version": version("alectio-agent"), "files": digests}
            text = dumps(listed).encode()
            about = tarfile.TarInfo(LIST)
            about.size, about.mode = len(text), 0o600
            packed.addfile(about, BytesIO(text))
        opened.flush()
        os.fsync(opened.fileno())


def _files(data: Path) -> Iterator[Path]:
    """All that is worth keeping; not the tables, nor what belongs to a process that runs."""
    for path in sorted(data.rglob("*")):
        is_tables = path.parent == data and path.name.startswith(DATABASE)
        is_half_written = path.name.startswith(".")
        if is_tables or is_half_written or (path.parent == data and path.name in _OF_A_PROCESS):
            continue
        if path.is_file() and not path.is_symlink():
            yield path


def _add(packed: tarfile.TarFile, path: Path, name: str) -> str:
    """Put one file in; gives its digest. One that grows meanwhile counts as it was."""
    with path.open("rb") as file:
        about = packed.gettarinfo(arcname=name, fileobj=file)
        read = _Hashing(file)
        packed.addfile(about, cast("IO[bytes]", read))
    return read.sha256.hexdigest()


def _remove(*files: Path) -> None:
    for file in files:
        for each in (file, Path(f"{file}-wal"), Path(f"{file}-shm"), Path(f"{file}-journal")):
            each.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    if isinstance(error, tarfile.ReadError):
        return "it is no tar archive, or a part of one"  # the library says what it tried, in lines
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
