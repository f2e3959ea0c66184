"""Somebody who looks at a page: who, with what, and what a page is to them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import READER
from alectio_agent.hub.access.sessions import Session
from alectio_agent.hub.dashboard.forms import LARGEST_FORM
from alectio_agent.wire.operation import Scope

FRAGMENT_HEADER = "x-fragment"


@dataclass(frozen=True)
class Visit:
    """One request of somebody who may make it.

    Attributes:
        form: What a form sent, without its key.
        file: What a page sent instead of a form; None without.
    """

    request: Request
    session: Session
    form: Mapping[str, str] = field(default_factory=dict)
    file: bytes | None = None

    @property
    def name(self) -> str:
        """The name in the path."""
        return str(self.request.path_params["name"])

    @property
    def is_fragment(self) -> bool:
        """Whether a page that is open asks for what it shows now."""
        return FRAGMENT_HEADER in self.request.headers


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True)
class Page:
    """One method of one path.

    Attributes:
        allowed: Scopes of which the visitor's token must have one.
        largest_form: The most that its form may send, in bytes.
        largest_file: The most that a file may have which is sent in its place; 0 takes none.
    """

    method: str
    path: str
    handler: Handler
    allowed: frozenset[Scope] = READER
    largest_form: int = LARGEST_FORM
    largest_file: int = 0
