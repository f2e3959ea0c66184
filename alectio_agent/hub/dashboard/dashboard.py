"""Serves the pages: each request is let in, answered with a page, and every refusal is one too."""

import asyncio
import logging
from asyncio import wrap_future
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.access.sessions import Session, Sessions
from alectio_agent.hub.api.problems import problem_response
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.dashboard.agents_page import AgentsPage
from alectio_agent.hub.dashboard.answers import SIGN_IN, page, set_cookie, to_sign_in
from alectio_agent.hub.dashboard.desk import Desk
from alectio_agent.hub.dashboard.entrance import Entrance
from alectio_agent.hub.dashboard.events import Events
from alectio_agent.hub.dashboard.experiment_page import ExperimentPage
from alectio_agent.hub.dashboard.experiments_page import ExperimentsPage
from alectio_agent.hub.dashboard.label_queue_page import LabelQueuePage
from alectio_agent.hub.dashboard.labels_page import LabelsPage
from alectio_agent.hub.dashboard.live import Live
from alectio_agent.hub.dashboard.pages import FORM_KEY_PLACE, render
from alectio_agent.hub.dashboard.result_headers import ResultHeaders
from alectio_agent.hub.dashboard.sign_in import SignIn
from alectio_agent.hub.dashboard.statics import read_static
from alectio_agent.hub.dashboard.steering_pages import SteeringPages
from alectio_agent.hub.dashboard.tokens_page import TokensPage
from alectio_agent.hub.dashboard.visit import Page
from alectio_agent.hub.experiments.versions import all_versions
from alectio_agent.wire.problems import PROBLEM_TYPES

log = logging.getLogger(__name__)

API = ("/v1/", "/openapi.json")
SIGNED_OUT = ("unauthorized", "expired", "revoked")

Endpoint = Callable[[Request], Awaitable[Response]]


class Dashboard:
    """All pages of a hub."""

    def __init__(self, services: Services, sessions: Sessions) -> None:
        """Put the pages together.

        Args:
            services: What they work with.
            sessions: Of those who signed in.
        """
        platform = services.platform
        self._live = Live(
            services.commits,
            lambda: wrap_future(services.store.read(all_versions)),
            lambda: platform.context.leases.beats + platform.logs_arrived,
        )
        self._desk = Desk(services, self._live, sessions)
        self._entrance = Entrance(sessions)
        self._sign_in = SignIn(self._desk, self._entrance)
        self._events = Events(self._live, sessions, services.holds)
        self._tasks: list[asyncio.Task[None]] = []

    def mount(self, app: FastAPI) -> None:
        """Serve the pages beside the API.

        Args:
            app: The hub's application.
        """
        for served in self._pages():
            app.add_route(
                served.path, self._endpoint(served), [served.method], include_in_schema=False
            )
        for path, endpoint, method in (
            (SIGN_IN, self._sign_in.ask, "GET"),
            (SIGN_IN, self._sign_in.sign_in, "POST"),
            ("/static/{file}", read_static, "GET"),
        ):
            app.add_route(path, self._guarded(endpoint), [method], include_in_schema=False)
        app.add_middleware(ResultHeaders)
        self._tell_browsers(app)

    def start(self) -> None:
        """Tell open pages of changes; from the event loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._live.run()), loop.create_task(self._warm())]

    def stop(self) -> None:
        """Tell nobody any more."""
        for task in self._tasks:
            task.cancel()

    async def _warm(self) -> None:
        """Read once what the first visitor would wait for."""
        with suppress(StoreError):
            await self._desk.read(self._desk.services.platform.summaries)

    def _pages(self) -> list[Page]:
        desk = self._desk
        return [
            *ExperimentsPage(desk).pages(),
            *SteeringPages(desk).pages(),
            *ExperimentPage(desk).pages(),
            *AgentsPage(desk).pages(),
            *TokensPage(desk).pages(),
            *LabelsPage(desk).pages(),
            *LabelQueuePage(desk).pages(),
            *self._sign_in.pages(),
            *self._events.pages(),
        ]

    def _endpoint(self, served: Page) -> Endpoint:
        async def answer(request: Request) -> Response:
            visit, is_new = await self._entrance.admit(request, served)
            given = await served.handler(visit)
            if is_new:
                set_cookie(given, request, self._entrance.sessions, visit.session)
            return given

        return self._guarded(answer)

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except ProblemError as error:
                return await self._refused(request, error)
            except StoreError as error:
                log.warning("%s: %s", request.url.path, error)
                return await self._page(
                    request, 503, "The hub cannot read or write its folder at the moment."
                )

        return answer

    def _tell_browsers(self, app: FastAPI) -> None:
        """What is no page of ours, asked for by a browser."""
        refused = app.exception_handlers[ProblemError]
        unknown = app.exception_handlers[HTTPException]

        async def on_problem(request: Request, error: Exception) -> Response:
            if not isinstance(error, ProblemError) or not _is_browsing(request):
                answer: Response = await refused(request, error)  # type: ignore[misc]
                return answer
            return await self._refused(request, error)

        async def on_unknown(request: Request, error: Exception) -> Response:
            if not _is_browsing(request):
                answer: Response = await unknown(request, error)  # type: ignore[misc]
                return answer
            return await self._page(request, 404, "There is no such page.")

        app.add_exception_handler(ProblemError, on_problem)
        app.add_exception_handler(HTTPException, on_unknown)

    async def _refused(self, request: Request, error: ProblemError) -> Response:
        if request.url.path == "/events":
            return problem_response(error)
        if error.problem in SIGNED_OUT:
            return to_sign_in(request)
        return await self._page(request, PROBLEM_TYPES[error.problem].status, error.message)

    async def _page(self, request: Request, status: int, told: str) -> Response:
        visitor = await self._entrance.visitor(request)
        title = {403: "Not allowed", 404: "Not found", 409: "Not in this state"}.get(
            status, "It did not work"
        )
        html = render(
            "problem.html", visitor, title=title, here="", topic=None, told=told, status=status
        )
        return page(html.replace(FORM_KEY_PLACE, self._key(visitor)), status)

    def _key(self, visitor: Session | None) -> str:
        return "" if visitor is None else self._entrance.sessions.form_key(visitor)


def _is_browsing(request: Request) -> bool:
    """Whether a person asks for something to read, rather than a program."""
    is_api = request.url.path.startswith(API) or "authorization" in request.headers
    return not is_api and "text/html" in request.headers.get("accept", "")
