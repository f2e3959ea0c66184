"""Some bytes of a file as the body of a request: read while they are sent, never held whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class FileSlice:
    """Bytes `start` to `stop` (not included) of a file; every iteration reads them anew."""

    path: Path
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[bytes]:
        left = len(self)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            while left:
                chunk = file.read(min(left, CHUNK_BYTES))
                if not chunk:
                    # A shorter body than announced would leave the platform waiting for the rest.
                    raise OSError(f"{self.path} ends {left} bytes early")
                left -= len(chunk)
                yield chunk
