"""Parts that arrive in slices: appended to a file as the bytes come, in place once whole.

All state changes on the event loop, between two awaits; threads only read, sync and rename. What
is in memory saves reading a file again: whatever is lost, the file is still a prefix of the part,
and the digest decides at the end.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.experiments.begun import begun_path, find_begun
from alectio_agent.wire.slices import Slice

MOST_KNOWN = 512
"""More unfinished parts than this, and the state of the oldest is read from its file again."""
READ_BYTES = 2**20


class _Hash(Protocol):
    def update(self, piece: bytes | memoryview, /) -> None: ...
    def copy(self) -> Self: ...
    def hexdigest(self) -> str: ...


@dataclass
class _Begun:
    """A part, as far as it is there; `is_whole`: checked, durable, in its place."""

    path: Path
    total: int
    have: int
    digest: _Hash
    is_whole: bool = False

    def is_as_known(self) -> bool:
        """Whether the file is still what this remembers: it is swept when its job closes."""
        try:
            return 0 < self.have == self.path.stat().st_size
        except FileNotFoundError:
            return False


class _File:
    """The file of a part, open as long as one slice comes: it may get its final name meanwhile."""

    def __init__(self, begun: _Begun) -> None:
        self._begun = begun
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def add(self, at: int, chunk: bytes) -> None:
        """Write the new bytes of a piece; those that are there must be the same."""
        begun = self._begun
        if self._file < 0:
            try:
                self._file = _open(begun.path, is_new=begun.have == 0)
            except FileNotFoundError as error:
                raise _dropped(begun) from error
        old = max(0, min(begun.have - at, len(chunk)))
        if old and os.pread(self._file, old, at) != chunk[:old]:
            raise ProblemError(
                "invalid", f"the slice has other bytes behind byte {at} than came before"
            )
        new = memoryview(chunk)[old:]
        while new:
            count = os.pwrite(self._file, new, begun.have)
            begun.digest.update(new[:count])
            begun.have += count
            new = new[count:]


@dataclass
class _Entry:
    """`writer`: the newest request for the part; an older one that still hangs has lost it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: _Begun | None = None
    writer: object = None
    is_over: bool = False


class Arrivals:
    """Takes slices; for the event loop only."""

    def __init__(self) -> None:
        """Start without knowing any part."""
        self._entries: dict[Path, _Entry] = {}

    async def take(self, part: Path, piece: Slice, chunks: AsyncIterator[bytes]) -> int:
        """Append what is new of a slice; a part that is whole then is checked and made durable.

        Args:
            part: Where the part belongs; the name is its SHA-256.
            piece: Which bytes come.
            chunks: They; nothing for a question.

        Returns:
            Bytes of the part that are there.

        Raises:
            ProblemError: `invalid`: the slice is not what it says, or the part has another digest.
                `parts-missing`: bytes before the slice are missing, or a newer request took over.
            StoreError: The disk refuses.
        """
        try:
            entry, begun = await self._known(part, piece.total)
            writer = entry.writer = object()
            try:
                await self._append(entry, writer, begun, piece, chunks)
                if begun.have == begun.total and not begun.is_whole:
                    await self._finish(part, entry, begun)
                return begun.have
            finally:
                self._leave(part, entry, writer)
        except OSError as error:
            raise StoreError(f"{part}: {error.strerror or error}") from error

    async def drop(self, part: Path) -> None:
        """Forget a part that is not needed in slices, and remove what is there of it.

        Args:
            part: Where it belongs.
        """
        self._forget(part)
        await asyncio.to_thread(_remove_begun, part)

    async def _known(self, part: Path, total: int) -> tuple[_Entry, _Begun]:
        """A part's state, from memory or from its file."""
        while True:
            entry = self._entries.setdefault(part, _Entry())
            async with entry.lock:  # while another request reads the file, or finishes the part
                if entry.is_over:
                    continue
                if entry.begun is None or not entry.begun.is_as_known():
                    entry.begun = await asyncio.to_thread(_load, part, total)
                if entry.begun.total != total:
                    raise ProblemError(
                        "invalid",
                        f"part {part.name}: found a total of {total} bytes; "
                        f"before it was {entry.begun.total}",
                    )
                return entry, entry.begun

    async def _append(
        self,
        entry: _Entry,
        writer: object,
        begun: _Begun,
        piece: Slice,
        chunks: AsyncIterator[bytes],
    ) -> None:
        if piece.start > begun.have:
            raise _missing(begun, f"the slice starts at byte {piece.start}")
        have, digest, at = begun.have, begun.digest.copy(), piece.start
        try:
            with _File(begun) as file:
                async for chunk in chunks:
                    if entry.writer is not writer:
                        raise _missing(begun, "another request sends this part")
                    if at + len(chunk) > piece.stop:
                        raise _another_size(piece, "more")
                    file.add(at, chunk)
                    at += len(chunk)
            if at != piece.stop:
                raise _another_size(piece, f"{at - piece.start} bytes")
        except (ProblemError, OSError):
            # A line that is cut keeps what came. This was no good slice, or the disk is full.
            if entry.writer is writer:
                _undo(begun, have, digest)
            raise

    async def _finish(self, part: Path, entry: _Entry, begun: _Begun) -> None:
        async with entry.lock:
            if begun.is_whole:
                return
            self._forget(part)
            found = begun.digest.hexdigest()
            if found != part.name:
                await asyncio.to_thread(begun.path.unlink, missing_ok=True)
                raise ProblemError(
                    "invalid",
                    f"the {begun.total} bytes that arrived have the digest {found}; "
                    f"expected {part.name}. The part is dropped",
                )
            try:
                await asyncio.to_thread(_put_in_place, begun.path, part)
            except FileNotFoundError as error:
                raise _dropped(begun) from error
            begun.is_whole = True

    def _leave(self, part: Path, entry: _Entry, writer: object) -> None:
        if entry.writer is not writer:
            return
        entry.writer = None
        if entry.begun is None or entry.begun.is_whole or entry.begun.have == 0:
            self._forget(part, entry)
        for oldest in list(self._entries)[:-MOST_KNOWN]:
            if self._entries[oldest].writer is None:
                self._forget(oldest)

    def _forget(self, part: Path, entry: _Entry | None = None) -> None:
        known = self._entries.get(part)
        if known is not None and entry in (None, known):
            known.is_over = True
            del self._entries[part]


def _load(part: Path, total: int) -> _Begun:
    """What is there of a part, as far as files tell."""
    if part.is_file():
        # Only what was checked and synced has this name.
        size_bytes = part.stat().st_size
        return _Begun(part, size_bytes, size_bytes, hashlib.sha256(), is_whole=True)
    file = find_begun(part)
    if file is None or not 0 < file.have <= file.total:
        _remove_begun(part)
        return _Begun(begun_path(part, total), total, 0, hashlib.sha256())
    digest = hashlib.sha256()
    with file.path.open("rb", buffering=0) as content:
        while chunk := content.read(READ_BYTES):
            digest.update(chunk)
    return _Begun(file.path, file.total, file.have, digest)


def _open(path: Path, *, is_new: bool) -> int:
    if is_new:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def _undo(begun: _Begun, have: int, digest: _Hash) -> None:
    if begun.is_whole:
        return
    is_longer, begun.have, begun.digest = begun.have > have, have, digest
    with suppress(OSError):
        if have == 0:
            begun.path.unlink(missing_ok=True)
        elif is_longer:
            os.truncate(begun.path, have)


def _put_in_place(arrived: Path, part: Path) -> None:
    file = os.open(arrived, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    arrived.replace(part)
    sync_folder(part.parent)


def _remove_begun(part: Path) -> None:
    file = find_begun(part)
    if file is not None:
        file.path.unlink(missing_ok=True)


def _missing(begun: _Begun, why: str) -> ProblemError:
    return ProblemError(
        "parts-missing",
        f"{why}; {begun.have} of {begun.total} bytes are there",
        missing=[{"sha256": begun.path.name[:64], "have": begun.have}],
    )


def _dropped(begun: _Begun) -> ProblemError:
    """Its job closed while a slice was on its way."""
    begun.have = 0
    return _missing(begun, "the part was dropped meanwhile")


def _another_size(piece: Slice, found: str) -> ProblemError:
    return ProblemError(
        "invalid", f"Content-Range: found {found}; the slice is of {piece.stop - piece.start} bytes"
    )
