"""Writes each request down before it leaves, and how it ended."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.client.network import Proxy
from alectio_agent.agent.journal.outgoing import About, Record, Way
from alectio_agent.core.errors import PlatformUnavailableError, StoreUnavailableError

PORTS = {"http": 80, "https": 443}
UNRECORDED = "unrecorded"
"""The kind of silence of a call that did not leave, since it could not be written down."""
Body = bytes | Path | FileSlice | None


class Ending:
    """How a call that leaves will have ended.

    Attributes:
        text: To be set once that is known.
    """

    text = "no answer"


def way_to(url: str, proxy: Proxy | None) -> Way:
    """Where requests to a URL go.

    Args:
        url: Of the platform.
        proxy: In between; None without.
    """
    return Way(_place(url), None if proxy is None else _place(proxy.url))


@contextmanager
def recorded(record: Record, about: About, way: Way, body: Body) -> Iterator[Ending]:
    """Write a call down, then let it leave.

    Args:
        record: Takes it down.
        about: What it is.
        way: Where it goes.
        body: What leaves.

    Yields:
        To be told how the call ended.

    Raises:
        PlatformUnavailableError: It cannot be written down, and does not leave.
    """
    sha256 = "" if about.is_counted else about.sha256 or _digest(body)
    try:
        row = record.begin(about, way, _size(body), sha256)
    except StoreUnavailableError as error:
        raise PlatformUnavailableError(
            f"nothing leaves before it is on record: {error.message}",
            code=error.code,
            hint=error.hint,
            silence=UNRECORDED,
        ) from error
    ending = Ending()
    try:
        yield ending
    finally:
        record.end(row, ending.text)


def _place(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{parts.port or PORTS.get(parts.scheme, 0)}"


def _size(body: Body) -> int:
    if isinstance(body, Path):
        return body.stat().st_size
    return 0 if body is None else len(body)


def _digest(body: Body) -> str:
    if isinstance(body, Path):
        with body.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    digest = hashlib.sha256()
    for chunk in body if isinstance(body, FileSlice) else (body or b"",):
        digest.update(chunk)
    return digest.hexdigest()
