"""Request bodies: read with a limit, unpacked, checked, turned into records."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.wire.strict_json import JsonRuleError, loads

RecordT = TypeVar("RecordT", bound=BaseModel)

GZIP_WBITS = 31
THREAD_BYTES = 256 * 2**10
"""A larger body is parsed in a thread, so that beats and polls do not wait for it."""
UNPACKED_BYTES = 256 * 2**10
"""As much of a packed body is unpacked before others have their turn: a bomb is a thousand times
larger than the piece that it comes in."""
TOLD_BREACHES = 8


async def read_record(
    request: Request, model: type[RecordT], limit_bytes: int, *, may_be_empty: bool = False
) -> RecordT:
    """Read a body as a record.

    Args:
        request: Whose body has not been read yet.
        model: Of the record.
        limit_bytes: Largest body, before and after unpacking.
        may_be_empty: No body means the record's defaults.

    Returns:
        The record.

    Raises:
        ProblemError: `invalid`, with what was found and where.
    """
    body = b"".join([chunk async for chunk in read_chunks(request, limit_bytes)])
    if may_be_empty and not body:
        return model()
    if len(body) > THREAD_BYTES:
        return await asyncio.to_thread(_parse, body, model)
    return _parse(body, model)


async def read_chunks(request: Request, limit_bytes: int) -> AsyncIterator[bytes]:
    """Read a body piece by piece, unpacking gzip.

    Args:
        request: Whose body has not been read yet.
        limit_bytes: Largest body, before and after unpacking.

    Yields:
        Pieces of the unpacked body.

    Raises:
        ProblemError: `invalid`: too large, or an encoding that cannot be unpacked.
    """
    unpack = _unpacker(request.headers.get("content-encoding", ""), limit_bytes)
    _check_announced(request.headers.get("content-length", ""), limit_bytes)
    arrived = 0
    async for chunk in request.stream():
        arrived += len(chunk)
        if arrived > limit_bytes:
            raise _too_large(limit_bytes)
        for piece in unpack.feed(chunk):
            yield piece
            if len(piece) == UNPACKED_BYTES:
                await asyncio.sleep(0)
    unpack.end()


class _Plain:
    """No encoding."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if chunk:
            yield chunk

    def end(self) -> None:
        return


class _Gzip:
    """One gzip member, with a limit on what comes out of it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._left_bytes = limit_bytes
        self._stream = zlib.decompressobj(GZIP_WBITS)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            try:
                piece = self._stream.decompress(chunk, UNPACKED_BYTES)
            except zlib.error as error:
                raise ProblemError(
                    "invalid", "the body is not gzip, as Content-Encoding says"
                ) from error
            self._left_bytes -= len(piece)
            if self._left_bytes < 0:
                raise _too_large(self._limit_bytes)
            if self._stream.unused_data:
                raise ProblemError("invalid", "the body goes on after its gzip stream")
            if piece:
                yield piece
            chunk = self._stream.unconsumed_tail

    def end(self) -> None:
        if not self._stream.eof:
            raise ProblemError("invalid", "the body's gzip stream is cut short")


def _unpacker(encoding: str, limit_bytes: int) -> _Plain | _Gzip:
    if encoding.lower() in ("", "identity"):
        return _Plain()
    if encoding.lower() == "gzip":
        return _Gzip(limit_bytes)
    raise ProblemError(
        "invalid", f"Content-Encoding: found {printable(encoding, 40)}; expected gzip or none"
    )


def _check_announced(length: str, limit_bytes: int) -> None:
    if length.isascii() and length.isdigit() and int(length[:20]) > limit_bytes:
        raise _too_large(limit_bytes)


def _too_large(limit_bytes: int) -> ProblemError:
    return ProblemError("invalid", f"the body is larger than {limit_bytes} bytes")


def _parse(body: bytes, model: type[RecordT]) -> RecordT:
    try:
        return model.model_validate(_document(body))
    except JsonRuleError as error:
        raise ProblemError("invalid", f"the body breaks the rules for JSON: {error}") from error
    except ValidationError as error:
        raise ProblemError("invalid", _breaches(error)) from error


def _document(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProblemError("invalid", f"the body is not UTF-8 at byte {error.start}") from error
    document = loads(text)
    # Escapes can smuggle in half a character, which no database and no answer could carry.
    if "\\u" in text:
        _check_characters(document)
    if not isinstance(document, dict):
        raise ProblemError("invalid", f"the body is a {type(document).__name__}, not an object")
    return document


def _check_characters(document: Any) -> None:
    level = [document]
    while level:
        value = level.pop()
        if isinstance(value, dict):
            level += [*value, *value.values()]
        elif isinstance(value, list):
            level += value
        elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ProblemError("invalid", "a text holds half of a surrogate pair")


def _breaches(error: ValidationError) -> str:
    """The first breaches of a record's rules, readable and without what was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [
        f"{_place(breach['loc'])}: {breach['msg'].removeprefix('Value error, ')}"
        for breach in found[:TOLD_BREACHES]
    ]
    more = [f"and {len(found) - TOLD_BREACHES} more"] if len(found) > TOLD_BREACHES else []
    return printable("; ".join(told + more), 1500)


def _place(location: tuple[int | str, ...]) -> str:
    """Where it is, without the names that pydantic gives to alternatives of a type."""
    parts = [str(part) for part in location if isinstance(part, int) or part.isidentifier()]
    return ".".join(parts) or "body"
