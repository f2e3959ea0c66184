"""Parts that arrive in slices: appended to a file as the bytes come, in place once whole.

All state changes on the event loop, between two awaits; threads only read, sync and rename. What
is in memory saves reading a file again: whatever is lost, the file is still a prefix of the part,
and the digest decides at the end.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.api.begun_part import BegunPart, PartFile, remove_begun
from alectio_agent.wire.slices import RANGE_HEADER, Slice

MOST_KNOWN = 512
"""More unfinished parts than this, and the state of the oldest is read from its file again."""


@dataclass
class _Entry:
    """`writer`: the newest request for the part; an older one that still hangs has lost it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: BegunPart | None = None
    writer: object = None
    is_over: bool = False


@dataclass(frozen=True)
class _Taking:
    """One request: its part, and what it brings."""

    part: Path
    piece: Slice
    chunks: AsyncIterator[bytes]


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
        taking = _Taking(part, piece, chunks)
        try:
            return await self._take(taking)
        except OSError as error:
            raise StoreError(f"{part}: {error.strerror or error}") from error
        finally:
            self._leave(taking)

    async def drop(self, part: Path) -> None:
        """Forget a part that is not needed in slices, and remove what is there of it.

        Args:
            part: Where it belongs.

        Raises:
            StoreError: The disk refuses.
        """
        self._forget(part)
        try:
            await asyncio.to_thread(remove_begun, part)
        except OSError as error:
            raise StoreError(f"{part}: {error.strerror or error}") from error

    async def _take(self, taking: _Taking) -> int:
        entry, begun = await self._enter(taking)
        await self._append(taking, entry, begun)
        if begun.have == begun.total and entry.writer in (None, taking):
            await self._finish(taking, entry, begun)
        # Bytes that are all there but not checked yet must be asked for once more.
        return begun.have if begun.is_whole else min(begun.have, begun.total - 1)

    async def _enter(self, taking: _Taking) -> tuple[_Entry, BegunPart]:
        """A part's state, from memory or its file; a slice takes it over from an older request."""
        part, total = taking.part, taking.piece.total
        while True:
            entry = self._entries.setdefault(part, _Entry())
            if not taking.piece.is_question:
                entry.writer = taking
            async with entry.lock:  # while another request reads the file, or finishes the part
                if entry.is_over:
                    continue
                is_busy = entry.writer not in (None, taking)
                if entry.begun is None or not (is_busy or entry.begun.is_as_known()):
                    entry.begun = await asyncio.to_thread(BegunPart.load, part, total)
                if entry.begun.total != total:
                    raise ProblemError(
                        "invalid",
                        f"part {part.name}: found a total of {total} bytes; "
                        f"before it was {entry.begun.total}",
                    )
                return entry, entry.begun

    async def _append(self, taking: _Taking, entry: _Entry, begun: BegunPart) -> None:
        piece, at = taking.piece, taking.piece.start
        if at > begun.have:
            raise begun.missing(f"the slice starts at byte {at}")
        have, digest = begun.have, begun.digest.copy()
        try:
            with PartFile(begun) as file:
                async for chunk in taking.chunks:
                    _check_writer(taking, entry, begun)
                    if at + len(chunk) > piece.stop:
                        raise _another_size(piece, "more")
                    file.add(at, chunk)
                    at += len(chunk)
            _check_writer(taking, entry, begun)
            if at != piece.stop:
                raise _another_size(piece, f"{at - piece.start} bytes")
        except (ProblemError, OSError):
            # A line that is cut keeps what came. This was no good slice, or the disk is full.
            if entry.writer is taking:
                begun.undo(have, digest)
            raise

    async def _finish(self, taking: _Taking, entry: _Entry, begun: BegunPart) -> None:
        async with entry.lock:
            if begun.is_whole:
                return
            self._forget(taking.part)
            found = begun.digest.hexdigest()
            if found != taking.part.name:
                await asyncio.to_thread(begun.path.unlink, missing_ok=True)
                raise ProblemError(
                    "invalid",
                    f"the {begun.total} bytes that arrived have the digest {found}; "
                    f"expected {taking.part.name}. The part is dropped",
                )
            await asyncio.to_thread(begun.put_in_place, taking.part)

    def _leave(self, taking: _Taking) -> None:
        entry = self._entries.get(taking.part)
        if entry is None:
            return
        if entry.writer is taking:
            entry.writer = None
        is_known = entry.begun is not None and 0 < entry.begun.have < entry.begun.total
        if entry.writer is None and not is_known:
            self._forget(taking.part)
        for oldest in list(self._entries)[:-MOST_KNOWN]:
            if self._entries[oldest].writer is None:
                self._forget(oldest)

    def _forget(self, part: Path) -> None:
        known = self._entries.pop(part, None)
        if known is not None:
            known.is_over = True


def _check_writer(taking: _Taking, entry: _Entry, begun: BegunPart) -> None:
    if entry.writer is not taking and not taking.piece.is_question:
        raise begun.missing("another request sends this part")


def _another_size(piece: Slice, found: str) -> ProblemError:
    return ProblemError(
        "invalid",
        f"{RANGE_HEADER}: found {found}; the slice is of {piece.stop - piece.start} bytes",
    )
