"""Bodies of forms: small, urlencoded, each field once."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.api.bodies import read_chunks

LARGEST_FORM = 16 * 2**10
MOST_FIELDS = 20
FORM_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """Read a form.

    Args:
        request: Whose body has not been read yet.

    Returns:
        Field to value.

    Raises:
        ProblemError: `invalid`: too large, of another type, or with a field twice.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise ProblemError("invalid", f"expected a form of type {FORM_TYPE}")
    body = b"".join([chunk async for chunk in read_chunks(request, LARGEST_FORM)])
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
