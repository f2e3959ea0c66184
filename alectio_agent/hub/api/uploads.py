"""Parts of results: streamed to a file while hashing, in place under their digest or not at all."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.durable import settle_folder, sync_folder
from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.core.ids import new_id

TEMPORARY_SUFFIX = ".arriving"


@dataclass(frozen=True)
class Stored:
    """A part that is durable under its name."""

    path: Path
    size_bytes: int


async def store_part(chunks: AsyncIterator[bytes], path: Path, sha256: str) -> Stored:
    """Write a part, and make it durable before its name appears.

    Args:
        chunks: Its bytes.
        path: Where it belongs; the folder is made.
        sha256: The digest that it must have.

    Returns:
        The part in place.

    Raises:
        ProblemError: `invalid`: the bytes have another digest, or there are none.
        StoreError: The disk refuses.
    """
    arriving = path.with_name(f".{sha256[:16]}-{new_id()}{TEMPORARY_SUFFIX}")
    try:
        size_bytes = await _write(chunks, arriving, sha256)
        await asyncio.to_thread(_put_in_place, arriving, path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            arriving.unlink(missing_ok=True)
    return Stored(path, size_bytes)


def drop_unfinished(parts: Path) -> int:
    """Delete what an earlier process left half written; called before the hub serves.

    Args:
        parts: Folder of all parts.

    Returns:
        How many files.
    """
    left = list(parts.rglob(f".*{TEMPORARY_SUFFIX}"))
    for file in left:
        file.unlink()
    return len(left)


async def _write(chunks: AsyncIterator[bytes], arriving: Path, sha256: str) -> int:
    """Write and hash as the bytes come; each piece is small, so that the loop hardly waits."""
    digest, size_bytes = hashlib.sha256(), 0
    arriving.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with arriving.open("xb") as file:
        arriving.chmod(0o600)
        async for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
            size_bytes += len(chunk)
        if size_bytes == 0:
            raise ProblemError("invalid", "the part is empty")
        if digest.hexdigest() != sha256:
            raise ProblemError(
                "invalid",
                f"the {size_bytes} bytes that arrived have the digest {digest.hexdigest()}; "
                f"expected {sha256}",
            )
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    return size_bytes


def _put_in_place(arriving: Path, path: Path) -> None:
    arriving.replace(path)
    sync_folder(path.parent)
    settle_folder(path.parent)
