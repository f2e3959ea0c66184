"""A part of a result as far as it is there: a file that grows, and the digest of its bytes."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from alectio_agent.core.durable import settle_folder, sync_folder
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.begun import begun_path, find_begun

READ_BYTES = 2**20


class _Hash(Protocol):
    def update(self, piece: bytes | memoryview, /) -> None: ...
    def copy(self) -> Self: ...
    def hexdigest(self) -> str: ...


@dataclass
class BegunPart:
    """A part, as far as it is there.

    Attributes:
        path: Its file.
        total: Size of the whole part, in bytes.
        have: Bytes that are there, from the first on.
        digest: Of those bytes.
        is_whole: Checked, durable, in its place.
    """

    path: Path
    total: int
    have: int
    digest: _Hash
    is_whole: bool = False

    @classmethod
    def load(cls, part: Path, total: int) -> Self:
        """Find what is there, as far as files tell.

        Args:
            part: Where the part belongs.
            total: Its size, when nothing of it is there.

        Raises:
            OSError: The disk refuses.
        """
        if part.is_file() and _is_sound(part, total):
            size_bytes = part.stat().st_size
            return cls(part, size_bytes, size_bytes, hashlib.sha256(), is_whole=True)
        file = find_begun(part)
        if file is None or not 0 < file.have <= file.total:
            remove_begun(part)
            return cls(begun_path(part, total), total, 0, hashlib.sha256())
        digest, left = hashlib.sha256(), file.have
        with file.path.open("rb", buffering=0) as content:
            while left and (chunk := content.read(min(left, READ_BYTES))):
                digest.update(chunk)
                left -= len(chunk)
        return cls(file.path, file.total, file.have, digest)

    def is_as_known(self) -> bool:
        """Whether the file is still what this remembers: it is swept when its job closes."""
        try:
            return 0 < self.have == self.path.stat().st_size
        except FileNotFoundError:
            return False

    def undo(self, have: int, digest: _Hash) -> None:
        """Drop the newest bytes.

        Args:
            have: Bytes that stay.
            digest: Of them.
        """
        if self.is_whole:
            return
        is_longer, self.have, self.digest = self.have > have, have, digest
        with suppress(OSError):
            if have == 0:
                self.path.unlink(missing_ok=True)
            elif is_longer:
                os.truncate(self.path, have)

    def put_in_place(self, part: Path) -> None:
        """Make the file durable, then give it its final name.

        Args:
            part: Where the part belongs.

        Raises:
            ProblemError: `parts-missing`: the file is gone.
            OSError: The disk refuses.
        """
        try:
            self._sync()
            self.path.replace(part)
        except FileNotFoundError as error:
            raise self._dropped() from error
        sync_folder(part.parent)
        settle_folder(part.parent)
        self.is_whole = True

    def _sync(self) -> None:
        file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        except OSError:
            # The system may think that it was written now: it would say so the next time.
            self.path.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)

    def open(self) -> int:
        """Open the file to read and append.

        Returns:
            A descriptor.

        Raises:
            ProblemError: `parts-missing`: the file is gone.
            OSError: The disk refuses.
        """
        how = os.O_RDWR | os.O_CLOEXEC
        if self.have == 0:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            how |= os.O_CREAT | os.O_TRUNC
        try:
            return os.open(self.path, how, 0o600)
        except FileNotFoundError as error:
            raise self._dropped() from error

    def missing(self, why: str) -> ProblemError:
        """The problem that tells a sender from where to go on.

        Args:
            why: What it did.
        """
        # Bytes that are all there but not checked yet must be asked for once more.
        have = min(self.have, self.total - 1)
        return ProblemError(
            "parts-missing",
            f"{why}; {have} of {self.total} bytes are there",
            missing=[{"sha256": self.path.name[:64], "have": have}],
        )

    def _dropped(self) -> ProblemError:
        """Its job closed while a slice was on its way."""
        self.have = 0
        return self.missing("the part was dropped meanwhile")


class PartFile:
    """The file of a part while one slice comes: open, as it may get its final name meanwhile."""

    def __init__(self, begun: BegunPart) -> None:
        """Open nothing yet: a slice may have no bytes.

        Args:
            begun: The part.
        """
        self._begun = begun
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def add(self, at: int, chunk: bytes) -> None:
        """Write the new bytes of a piece; those that are there must be the same.

        Args:
            at: Where the piece begins; not behind what is there.
            chunk: The piece.

        Raises:
            ProblemError: `invalid`: other bytes are there; `parts-missing`: the file is gone.
            OSError: The disk refuses; what was written before that counts.
        """
        begun = self._begun
        if self._file < 0:
            self._file = begun.open()
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


def _is_sound(part: Path, total: int) -> bool:
    """Whether a file with a final name holds the part; if not, it is removed.

    Only what was checked and synced gets this name: bytes are looked at when their number is not
    what the sender says, as in a folder that was restored by halves.
    """
    if part.stat().st_size == total:
        return True
    with part.open("rb", buffering=0) as content:
        is_sound = hashlib.file_digest(content, "sha256").hexdigest() == part.name
    if not is_sound:
        part.unlink()
    return is_sound


def remove_begun(part: Path) -> None:
    """Remove what is there of a part that is not whole.

    Args:
        part: Where it belongs.

    Raises:
        OSError: The disk refuses.
    """
    file = find_begun(part)
    if file is not None:
        file.path.unlink(missing_ok=True)
