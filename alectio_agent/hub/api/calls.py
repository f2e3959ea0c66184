"""One call of the API: what it takes, gives and refuses; registered and documented from here."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.access.sessions import Sessions
from alectio_agent.wire.names import ID_PATTERN
from alectio_agent.wire.operation import Scope
from alectio_agent.wire.problems import PROBLEM_TYPES
from alectio_agent.wire.protocol import (
    JSON_MEDIA_TYPE,
    LEASE_HEADER,
    PROBLEM_MEDIA_TYPE,
    PROTOCOL,
    PROTOCOL_HEADER,
)
from alectio_agent.wire.slices import RANGE_HEADER, PartTaken

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
ALWAYS = ("unauthorized", "expired", "revoked", "forbidden", "invalid", "unsupported-protocol")
RANGE_PATTERN = r"^bytes (\d+-\d+|\*)/\d+$"
RANGE_MEANING = (
    "`bytes FIRST-LAST/TOTAL`: the body is this slice of a part of TOTAL bytes. `bytes */TOTAL`: "
    "no body, the answer says how much of it is there. Without it the body is the whole part."
)
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}
}
PROBLEM_SCHEMA = {"schema": {"$ref": "#/components/schemas/Problem"}}


@dataclass(frozen=True)
class Call:
    """One method of one path.

    Attributes:
        endpoint: Answers; its docstring documents the call.
        allowed: Scopes of which the token must have one.
        takes: Record in the body; None without a body.
        gives: Record in the answer; None when it is no JSON.
        problems: Names of the problem types beyond those of every call.
        takes_bytes: The body is a file.
        needs_lease: The call is about a job, and carries its lease.
        may_be_empty: What 204 means; empty when it never comes.
        is_protocol: It carries the number of the protocol.
        may_be_bodiless: No body means the record's defaults.
        is_frequent: Agents call it all the time; its endpoint takes the request and what stands in
            the path, and nothing else.
    """

    method: str
    path: str
    endpoint: Endpoint
    allowed: frozenset[Scope]
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    problems: tuple[str, ...] = ()
    takes_bytes: bool = False
    needs_lease: bool = False
    may_be_empty: str = ""
    is_protocol: bool = True
    may_be_bodiless: bool = False
    is_frequent: bool = False

    @property
    def may_be_slice(self) -> bool:
        """Whether `Content-Range` may say that the body is a piece, or that it asks."""
        return self.gives is PartTaken

    @property
    def may_be_looked_at(self) -> bool:
        """Whether HEAD is answered too: programs ask for size and age of a file with it."""
        return self.method == "GET" and self.path.startswith("/results/")

    @property
    def opens_to_sessions(self) -> bool:
        """Whether people who signed in with a browser may call it too: results, to read."""
        return self.method == "GET" and self.path.startswith("/results/")


def mount(app: FastAPI, call: Call, gate: Gate, sessions: Sessions | None = None) -> None:
    """Serve a call.

    Args:
        app: The application.
        call: What to serve.
        gate: Lets requests in, before anything of them is read.
        sessions: Of people in a browser.
    """
    entrance = Depends(_entrance(call, gate, sessions))
    if call.may_be_looked_at:
        # Of its own, so that the document does not tell every call twice.
        app.add_api_route(
            call.path,
            call.endpoint,
            methods=["HEAD"],
            dependencies=[entrance],
            response_model=None,
            include_in_schema=False,
        )
    app.add_api_route(
        call.path,
        call.endpoint,
        methods=[call.method],
        dependencies=[entrance],
        response_class=Response,
        response_model=None,
        responses=_answers(call),
        openapi_extra=_request(call),
        operation_id=call.endpoint.__name__,
    )


def answer(record: BaseModel) -> Response:
    """A record as an answer.

    Args:
        record: What to say.
    """
    return Response(record.model_dump_json(by_alias=True), media_type=JSON_MEDIA_TYPE)


def _entrance(
    call: Call, gate: Gate, sessions: Sessions | None
) -> Callable[[Request], Awaitable[None]]:
    async def enter(request: Request) -> None:
        cookies = request.headers.get("cookie")
        if (
            sessions
            and call.opens_to_sessions
            and cookies
            and "authorization" not in request.headers
        ):
            await sessions.find(cookies, call.allowed)
            return
        request.state.token = await gate.admit(request.headers.get("authorization"), call.allowed)
        if call.is_protocol:
            check_protocol(request.headers.get(PROTOCOL_HEADER))

    return enter


def check_protocol(found: str | None) -> None:
    """Refuse calls of another protocol.

    Args:
        found: What the header says.

    Raises:
        ProblemError: `unsupported-protocol`.
    """
    if found is None or found.strip() != str(PROTOCOL):
        raise ProblemError(
            "unsupported-protocol",
            f"{PROTOCOL_HEADER}: found {printable(found or 'none', 40)}; expected {PROTOCOL}",
            min=PROTOCOL,
            max=PROTOCOL,
        )


def _answers(call: Call) -> dict[int | str, dict[str, Any]]:
    """The answers for the document, problems grouped by status."""
    given: dict[int | str, dict[str, Any]] = {200: {"description": "Done."}}
    if call.gives is not None:
        given[200]["content"] = {JSON_MEDIA_TYPE: {"schema": _reference(call.gives)}}
    if call.may_be_empty:
        given[204] = {"description": call.may_be_empty, "headers": RETRY_AFTER}
    names: dict[int, list[str]] = {}
    for name in (*ALWAYS, *call.problems):
        if call.is_protocol or name != "unsupported-protocol":
            names.setdefault(PROBLEM_TYPES[name].status, []).append(name)
    for status, listed in sorted(names.items()):
        told = "\n".join(f"- `{name}`: {PROBLEM_TYPES[name].title}" for name in listed)
        given[status] = {"description": told, "content": {PROBLEM_MEDIA_TYPE: PROBLEM_SCHEMA}}
        if status == 401:
            given[status]["headers"] = {"WWW-Authenticate": {"schema": {"const": "Bearer"}}}
    return given


def _request(call: Call) -> dict[str, Any]:
    """Body, headers and scopes for the document."""
    document: dict[str, Any] = {"security": [{"bearer": []}]}
    document["x-scopes"] = sorted(call.allowed)
    document["parameters"] = _headers(call)
    if call.takes is not None:
        schema = {JSON_MEDIA_TYPE: {"schema": _reference(call.takes)}}
        document["requestBody"] = {"required": not call.may_be_bodiless, "content": schema}
    elif call.takes_bytes:
        schema = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        document["requestBody"] = {"required": not call.may_be_slice, "content": schema}
    return document


def _headers(call: Call) -> list[dict[str, Any]]:
    """The request headers of a call for the document."""
    named: list[tuple[str, bool, dict[str, Any]]] = []
    if call.is_protocol:
        named.append((PROTOCOL_HEADER, True, {"type": "string", "enum": [str(PROTOCOL)]}))
    if call.needs_lease:
        named.append((LEASE_HEADER, True, {"type": "string", "pattern": ID_PATTERN}))
    if call.may_be_slice:
        schema = {"type": "string", "pattern": RANGE_PATTERN, "description": RANGE_MEANING}
        named.append((RANGE_HEADER, False, schema))
    return [
        {"name": name, "in": "header", "required": is_required, "schema": schema}
        for name, is_required, schema in named
    ]


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
