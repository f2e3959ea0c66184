"""The outermost layer: dates every answer, and lets no exception out of the application."""

import asyncio
import logging
from email.utils import format_datetime

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError
from alectio_agent.core.log import printable
from alectio_agent.hub.api.problems import unexpected_response
from alectio_agent.hub.store.complaints import Complaints

log = logging.getLogger(__name__)

STOPPING = "The hub stops. Try again later."


class Guard:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        """Wrap an application.

        Args:
            app: What to guard.
            clock: For the Date header. The server's own would cost ten wake-ups a second.
        """
        self._app = app
        self._clock = clock
        self._complaints = Complaints(log, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def dated(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                date = format_datetime(self._clock.now(), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        try:
            await self._app(scope, receive, dated)
        except ClientDisconnect:
            return  # nobody is left to answer
        except asyncio.CancelledError:
            # A stop that no longer waits: no verdict, so the client tries again.
            if not started:
                await unexpected_response(503, STOPPING)(scope, receive, dated)
        except (StoreError, OSError) as error:
            self._refuse(scope, error)
            if not started:
                await unexpected_response(503)(scope, receive, dated)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            log.exception("%s %s: %s", scope["method"], scope["path"], what)
            if not started:
                await unexpected_response(500)(scope, receive, dated)

    def _refuse(self, scope: Scope, error: StoreError | OSError) -> None:
        """Every call of every agent meets a full disk: it is said once, and without a traceback."""
        place = f"{scope['method']} {printable(scope['path'], 200)}"
        if isinstance(error, OSError):
            error = StoreError(f"{error.filename or 'the folder'}: {error.strerror or error}")
        self._complaints.note(f"{place} is answered 503", error)
