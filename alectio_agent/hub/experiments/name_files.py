"""Files of record names: one JSON string a line, in index order, named after their digest.

Beside each lies an index of where every 64th line begins, so that names are read without reading
the file: a million names of 40 bytes are 42 MB, their index is 125 KB.
"""

import hashlib
import json
import os
import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import ProblemError, StoreError

EVERY = 64
MAX_LINE_BYTES = 2**16
CHUNK_BYTES = 2**20
NAMES, INDEX = ".jsonl", ".index"


class NameFiles:
    """The folder of all files; safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet.

        Args:
            folder: Need not exist.
        """
        self.folder = folder
        self._lock = Lock()
        self._prefixes: dict[tuple[str, int], str] = {}

    def holds(self, digest: str) -> bool:
        """Whether all names of that digest are here."""
        file = self._file(digest)
        return file.is_file() and file.with_suffix(INDEX).is_file()

    def digests(self) -> list[str]:
        """The digests of all files, sorted."""
        try:
            files = list(self.folder.iterdir())
        except FileNotFoundError:
            return []
        return sorted(file.stem for file in files if file.suffix == NAMES)

    def take(self, arrived: Path, digest: str, count: int) -> None:
        """Check names that have arrived, and put them in place.

        Args:
            arrived: A file in this folder whose bytes have that digest; it is moved, or left when
                it is refused.
            digest: SHA-256 over its lines.
            count: Number of names that there must be.

        Raises:
            ProblemError: `invalid`: a line is no JSON string, or their number is another.
            StoreError: The disk refuses.
        """
        places = _index_of(arrived, count)
        file = self._file(digest)
        try:
            index = file.with_suffix(INDEX)
            new = arrived.with_name(f"{arrived.stem}{INDEX}{arrived.suffix}")
            new.write_bytes(places.tobytes())
            new.replace(index)
            # Names are never there without their index: this is what makes them count.
            arrived.replace(file)
            sync_folder(self.folder)
        except OSError as error:
            raise StoreError(f"{file}: {error.strerror or error}") from error

    def count(self, digest: str) -> int:
        """Number of names in a file that is here.

        Raises:
            StoreError: The disk refuses.
        """
        return int(self._places(digest)[0])

    def read(self, digest: str, indices: Sequence[int]) -> list[str]:
        """Some names.

        Args:
            digest: Of a file that is here.
            indices: Below the number of its names, in any order.

        Returns:
            The name of each index.

        Raises:
            StoreError: The disk refuses.
        """
        places, wanted, lines = self._places(digest)[1:], sorted(set(indices)), list[bytes]()
        try:
            # Unbuffered: what is read around a block is rarely wanted.
            with self._file(digest).open("rb", buffering=0) as stream:
                for block, within in groupby(wanted, lambda index: index // EVERY):
                    text = os.pread(
                        stream.fileno(), places[block + 1] - places[block], places[block]
                    )
                    found = text.split(b"\n")
                    lines += [found[index % EVERY] for index in within]
        except OSError as error:
            raise _unreadable(self._file(digest), error) from error
        names = dict(zip(wanted, _parse(lines), strict=True))
        return [names[index] for index in indices]

    def prefix_digest(self, digest: str, count: int) -> str | None:
        """The digest of the first names of a file.

        Args:
            digest: Of a file that is here.
            count: How many names.

        Returns:
            SHA-256 over their lines; None when the file has fewer.

        Raises:
            StoreError: The disk refuses.
        """
        has = self.count(digest)
        if count >= has:
            return digest if count == has else None
        with self._lock:
            known = self._prefixes.get((digest, count))
        if known is None:
            known = self._digest_first(digest, count)
            with self._lock:
                self._prefixes[digest, count] = known
        return known

    def _digest_first(self, digest: str, count: int) -> str:
        places = self._places(digest)[1:]
        left = places[count // EVERY]
        found = hashlib.sha256()
        try:
            with self._file(digest).open("rb") as stream:
                while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
                    found.update(chunk)
                    left -= len(chunk)
                for _ in range(count % EVERY):
                    found.update(stream.readline())
        except OSError as error:
            raise _unreadable(self._file(digest), error) from error
        return found.hexdigest()

    def _file(self, digest: str) -> Path:
        return self.folder / f"{digest}{NAMES}"

    def _places(self, digest: str) -> "array[Any]":
        file = self.folder / f"{digest}{INDEX}"
        places = array("Q")
        try:
            places.frombytes(file.read_bytes())
        except OSError as error:
            raise _unreadable(file, error) from error
        if sys.byteorder == "big":
            places.byteswap()
        return places


def _index_of(file: Path, count: int) -> "array[Any]":
    """Number of names, where every 64th begins, and where the last one ends."""
    places, position, found = array("Q", [count]), 0, 0
    for lines in _blocks(file):
        _check(lines, found)
        places.append(position)
        position += sum(map(len, lines)) + len(lines)
        found += len(lines)
        if found > count:
            break
    if found != count:
        told = f"more than {count:,}" if found > count else f"{found:,}"
        raise ProblemError("invalid", f"found {told} names; the agent registered {count:,}")
    places.append(position)
    if sys.byteorder == "big":
        places.byteswap()
    return places


def _blocks(file: Path) -> Iterator[list[bytes]]:
    """The lines of a file, 64 at a time."""
    begun, lines = b"", list[bytes]()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                *whole, begun = (begun + chunk).split(b"\n")
                lines += whole
                for at in range(0, len(lines) - EVERY + 1, EVERY):
                    yield lines[at : at + EVERY]
                lines = lines[len(lines) // EVERY * EVERY :]
                if len(begun) > MAX_LINE_BYTES:
                    break
    except OSError as error:
        raise _unreadable(file, error) from error
    if begun:
        raise ProblemError(
            "invalid", f"the last line has no end, or is longer than {MAX_LINE_BYTES:,} bytes"
        )
    if lines:
        yield lines


def _check(lines: list[bytes], first: int) -> None:
    """All at once, since it takes a tenth of the time; one after the other to name the culprit."""
    if not _are_names(lines):
        wrong = next(at for at, line in enumerate(lines, first + 1) if not _are_names([line]))
        raise ProblemError(
            "invalid",
            f"line {wrong:,} is not one JSON string of at most {MAX_LINE_BYTES:,} bytes",
        )


def _are_names(lines: list[bytes]) -> bool:
    if max(map(len, lines)) > MAX_LINE_BYTES:
        return False
    try:
        # No string reaches over the end of a line, and no line is empty: so many strings as lines
        # are one in each.
        names = _parse(lines)
        # Escapes can smuggle in half a character, which no answer could carry.
        "".join(names).encode()
    except (ValueError, TypeError, RecursionError):  # the last one: a line of brackets
        return False
    return len(names) == len(lines)


def _parse(lines: list[bytes]) -> list[str]:
    names: list[str] = json.loads((b"[" + b",\n".join(lines) + b"]").decode())
    return names


def _unreadable(file: Path, error: OSError) -> StoreError:
    return StoreError(f"{file}: {error.strerror or error}")
