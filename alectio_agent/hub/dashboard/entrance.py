"""Who may look, and which forms are taken: sessions, the box on loopback, other sites' forms."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.hub.access.gate import READER
from alectio_agent.hub.access.sessions import BOX, Session, Sessions
from alectio_agent.hub.dashboard.forms import is_file, read_file, read_form
from alectio_agent.hub.dashboard.peers import is_loopback, is_of_another_user
from alectio_agent.hub.dashboard.visit import Page, Visit

FORM_KEY = "form_key"
KEY_HEADER = "x-form-key"
BOX_HOSTS = ("127.0.0.1", "localhost", "::1")
RENEWED = ("unauthorized", "expired")


class Entrance:
    """Turns requests into visits, or says why not."""

    def __init__(
        self, sessions: Sessions, is_foreign: Callable[[str, int], bool] = is_of_another_user
    ) -> None:
        """Guard the pages.

        Args:
            sessions: Of those who signed in.
            is_foreign: Whether the other end of a connection, its address and port, belongs to
                another user of this machine.
        """
        self.sessions = sessions
        self._is_foreign = is_foreign

    async def admit(self, request: Request, page: Page) -> tuple[Visit, bool]:
        """Let a request in.

        Args:
            request: Its body has not been read yet.
            page: That it asks for.

        Returns:
            The visit, and whether its session is new, so that the cookie must be set.

        Raises:
            ProblemError: `unauthorized`, `expired`, `revoked` or `forbidden`.
        """
        session, is_new = await self._session(request, page)
        if page.method != "POST":
            return Visit(request, session), is_new
        check_origin(request)
        if page.largest_file and is_file(request):
            # A page of another site can neither set this header nor send this type unasked.
            self._check_key(session, request.headers.get(KEY_HEADER, ""))
            file = await read_file(request, page.largest_file)
            return Visit(request, session, file=file), is_new
        form = await read_form(request, page.largest_form)
        self._check_key(session, form.pop(FORM_KEY, ""))
        return Visit(request, session, form), is_new

    async def enter_box(self, request: Request) -> tuple[Session, bool]:
        """Let the person in that runs the hub in the box; nobody signs in there.

        Args:
            request: Any.

        Returns:
            The session, and whether it is new, so that the cookie must be set.

        Raises:
            ProblemError: `forbidden`: it comes from elsewhere, or from another user.
        """
        check_box(request)
        # At each request: browsers send the cookie to all ports of this machine, so that another
        # user's server may have seen it.
        if request.client and self._is_foreign(request.client.host, request.client.port):
            raise ProblemError(
                "forbidden", "this hub belongs to another user of this machine; it is theirs alone"
            )
        try:
            return await self.sessions.find(request.headers.get("cookie"), READER), False
        except ProblemError as error:
            if error.problem not in RENEWED:
                raise
        return self.sessions.begin(BOX), True

    def _check_key(self, session: Session, found: str) -> None:
        if not self.sessions.is_form_key(session, found):
            raise ProblemError(
                "forbidden", "this form is out of date; open the page again, and send it from there"
            )

    async def _session(self, request: Request, page: Page) -> tuple[Session, bool]:
        if self.sessions.is_box:
            return await self.enter_box(request)
        return await self.sessions.find(request.headers.get("cookie"), page.allowed), False

    async def visitor(self, request: Request) -> Session | None:
        """Who looks at a page that is open to all, as far as is known.

        Args:
            request: Any.
        """
        try:
            return await self.sessions.find(request.headers.get("cookie"), READER)
        except ProblemError:
            return None


def check_box(request: Request) -> None:
    """Take only what a browser on this machine asks of this very address.

    A page of another site may let its own name point to 127.0.0.1; its requests then say that name.

    Args:
        request: Of the hub in the box.

    Raises:
        ProblemError: `forbidden`.
    """
    if request.client is None or not is_loopback(request.client.host):
        raise ProblemError("forbidden", "the hub in the box is open to its own machine only")
    host = request.headers.get("host", "")
    port = (request.scope.get("server") or ("", None))[1]
    try:
        found = urlsplit(f"//{host}")
        is_ours = found.hostname in BOX_HOSTS and found.port == port and "@" not in host
    except ValueError:
        is_ours = False
    if not is_ours:
        raise ProblemError(
            "forbidden",
            f"Host: found {printable(host, 80)}; expected 127.0.0.1:{port} or localhost:{port}",
        )


def check_origin(request: Request) -> None:
    """Take forms of our own pages only.

    Args:
        request: That sends one.

    Raises:
        ProblemError: `forbidden`: another site's, or of no page at all.
    """
    site = request.headers.get("sec-fetch-site")
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    # Browsers say where a form stands; over plain HTTP, beyond this machine, only by `Origin`.
    is_ours = site == "same-origin" if site is not None else _netloc(origin) == host.lower()
    if not is_ours or not host:
        raise ProblemError("forbidden", "forms are taken from this hub's own pages only")


def is_https(request: Request) -> bool:
    """Whether the browser speaks TLS, to this hub or to the proxy before it.

    Args:
        request: What it says is believed: it decides only whether the cookie asks for TLS.
    """
    told = (
        request.url.scheme,
        request.headers.get("x-forwarded-proto", ""),
        urlsplit(request.headers.get("origin", "")).scheme,
    )
    return "https" in told


def _netloc(origin: str | None) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() if origin else None
    except ValueError:
        return None
