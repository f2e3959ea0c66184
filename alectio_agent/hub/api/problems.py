"""Every answer that is no success: problem documents, and nothing of a framework's own shapes."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.wire.problems import PROBLEM_TYPES
from alectio_agent.wire.protocol import PROBLEM_MEDIA_TYPE
from alectio_agent.wire.strict_json import dumps

log = logging.getLogger(__name__)

LONGEST_DETAIL = 2000
UNEXPECTED = {
    500: "Something went wrong in the hub; its log says what. Try again later.",
    503: "The hub cannot read or write its folder at the moment. Try again later.",
}


def problem_response(error: ProblemError) -> Response:
    """A refusal as it travels.

    Args:
        error: With the name of a problem type, a message and further members.

    Returns:
        An answer with that type's status.
    """
    kind = PROBLEM_TYPES[error.problem]
    document = {
        **error.extra,
        "type": kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": printable(error.message, LONGEST_DETAIL),
        "code": error.code,
    }
    headers = {"WWW-Authenticate": "Bearer"} if kind.status == 401 else None
    return Response(dumps(document), kind.status, headers, PROBLEM_MEDIA_TYPE)


def unexpected_response(status: int, detail: str = "") -> Response:
    """An answer that is no verdict: callers try again.

    Args:
        status: 500 or 503.
        detail: What happened; the usual words when empty.

    Returns:
        A problem document that tells nothing of what lies inside.
    """
    document = {
        "type": "about:blank",
        "title": "Internal Server Error" if status == 500 else "Service Unavailable",
        "status": status,
        "detail": detail or UNEXPECTED[status],
    }
    return Response(dumps(document), status, media_type=PROBLEM_MEDIA_TYPE)


def install_problems(app: FastAPI) -> None:
    """Answer every refusal, ours and the framework's, with a problem document.

    Args:
        app: The application.
    """
    app.add_exception_handler(ProblemError, _refused)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(HTTPException, _not_served)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class only
    return problem_response(error)


async def _bad_parameter(_: Request, error: Exception) -> Response:
    """A part of the path or the query that breaks its pattern."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    told = "; ".join(
        f"{'.'.join(str(part) for part in breach['loc'])}: {breach['msg']}"
        for breach in error.errors()
    )
    return problem_response(ProblemError("invalid", told))


async def _not_served(request: Request, _: Exception) -> Response:
    """An unknown path, or a method that a path does not take."""
    served = f"{request.method} {printable(request.url.path)}"
    return problem_response(ProblemError("not-found", f"this hub has no {served}"))
