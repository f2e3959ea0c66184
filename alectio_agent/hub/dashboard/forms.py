"""What pages send: forms, urlencoded with each field once, or a file in place of a form."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import Request

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.api.bodies import read_chunks

LARGEST_FORM = 16 * 2**10
MOST_FIELDS = 20
FILE_TYPE = "text/csv"
FORM_TYPE = "application/x-www-form-urlencoded"


def is_file(request: Request) -> bool:
    """Whether a request sends a file in place of a form.

    Args:
        request: That sends something.
    """
    return _kind(request) == FILE_TYPE


async def read_file(request: Request, limit_bytes: int) -> bytes:
    """Read a file.

    Args:
        request: Whose body has not been read yet.
        limit_bytes: The most that it may have.

    Raises:
        ProblemError: `invalid`: too large.
    """
    return b"".join([chunk async for chunk in read_chunks(request, limit_bytes)])


async def read_form(request: Request, limit_bytes: int = LARGEST_FORM) -> dict[str, str]:
    """Read a form.

    Args:
        request: Whose body has not been read yet.
        limit_bytes: The most that it may have.

    Returns:
        Field to value.

    Raises:
        ProblemError: `invalid`: too large, of another type, or with a field twice.
    """
    if _kind(request) != FORM_TYPE:
        raise ProblemError("invalid", f"expected a form of type {FORM_TYPE}")
    body = await read_file(request, limit_bytes)
    if len(body) > LARGEST_FORM:
        return await asyncio.to_thread(_parse, body)
    return _parse(body)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _parse(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise ProblemError("invalid", "the form cannot be read") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ProblemError("invalid", "the form has a field twice")
    return form
