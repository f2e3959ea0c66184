"""Which requests and forms the pages take."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.sessions import BOX, Sessions
from alectio_agent.hub.dashboard.answers import local_path
from alectio_agent.hub.dashboard.entrance import Entrance, check_box, check_origin, is_https
from alectio_agent.hub.dashboard.forms import FORM_TYPE, LARGEST_FORM, read_form
from alectio_agent.hub.dashboard.visit import Page, Visit
from tests.support.asgi import Exchange, scope_of
from tests.support.hub_fakes import HubScene

HOST = "127.0.0.1:8642"


async def unreached(_: Visit) -> Response:
    raise AssertionError("only the entrance is tested")


def request(client: str = "127.0.0.1", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request({**scope_of("POST", "/x", named), "client": (client, 5000)})


@pytest.mark.parametrize("host", [HOST, "localhost:8642", "LOCALHOST:8642", "[::1]:8642"])
def test_the_box_is_known_by_its_own_names(host: str) -> None:
    check_box(request(host=host))


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8642", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8642@evil",
     "user@127.0.0.1:8642", "127.0.0.1.evil.example:8642", "[::1", "127.0.0.1:x", "0.0.0.0:8642"],
)  # fmt: skip
def test_the_box_answers_to_no_other_name(host: str) -> None:
    with pytest.raises(ProblemError):
        check_box(request(host=host))


@pytest.mark.parametrize("client", ["192.168.1.7", "::2", "not an address"])
def test_the_box_answers_to_no_other_machine(client: str) -> None:
    with pytest.raises(ProblemError):
        check_box(request(client, host=HOST))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"origin": f"http://{HOST}"},
        {"origin": f"https://{HOST}"},
        {"sec_fetch_site": "same-origin", "origin": "https://behind.a.proxy"},
    ],
)
def test_forms_of_our_own_pages_are_taken(headers: dict[str, str]) -> None:
    check_origin(request(host=HOST, **headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://[broken"},
        {"sec_fetch_site": "cross-site", "origin": f"http://{HOST}"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
    ],
)
def test_forms_of_other_pages_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as caught:
        check_origin(request(host=HOST, **headers))
    assert caught.value.problem == "forbidden"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"origin": "http://hub"}, False),
        ({"origin": "https://hub"}, True),
        ({"x_forwarded_proto": "https"}, True),
    ],
)
def test_the_cookie_asks_for_tls_where_the_browser_speaks_it(
    headers: dict[str, str], expected: bool
) -> None:
    assert is_https(request(**headers)) is expected


@pytest.mark.parametrize("path", ["/", "/agents", "/?name=a&state=running", "/experiments/x%2Fy"])
def test_whoever_signs_in_comes_to_a_page_of_this_hub(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "agents", "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example",
     "/\tevil", "/\n/evil.example", "javascript:alert(1)", "/sign-in?next=/", "//[", "/ü"],
)  # fmt: skip
def test_no_address_leads_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    """Those of a hub in the box."""
    scene = HubScene(tmp_path)
    yield Sessions(scene.services.gate, scene.clock, b"k" * 32, "abc", is_box=True)
    scene.store.close()


class TestBox:
    """Nobody signs in at the hub in the box: who asks is looked at, at each request."""

    pytestmark = pytest.mark.anyio
    page = Page("GET", "/", unreached)

    async def enter(
        self, sessions: Sessions, *, is_foreign: bool = False, **headers: str
    ) -> tuple[Visit, bool]:
        entrance = Entrance(sessions, lambda *_: is_foreign)
        scope = scope_of("GET", "/", {"Host": HOST, **headers})
        return await entrance.admit(Request({**scope, "client": ("127.0.0.1", 5000)}), self.page)

    async def test_whoever_runs_it_is_let_in_and_known_again(self, sessions: Sessions) -> None:
        visit, is_new = await self.enter(sessions)
        assert (is_new, visit.session.is_operator) == (True, True)
        cookie = f"{sessions.cookie}={sessions.write(visit.session)}"
        again, is_new = await self.enter(sessions, Cookie=cookie)
        assert (is_new, again.session.nonce) == (False, visit.session.nonce)

    @pytest.mark.parametrize("is_known", [False, True])
    async def test_another_user_of_the_machine_is_not(
        self, sessions: Sessions, is_known: bool
    ) -> None:
        """Also with the cookie, which browsers send to all ports of the machine."""
        cookie = f"{sessions.cookie}={sessions.write(sessions.begin(BOX))}" if is_known else ""
        with pytest.raises(ProblemError) as caught:
            await self.enter(sessions, is_foreign=True, Cookie=cookie)
        assert caught.value.problem == "forbidden"

    async def test_a_name_of_another_site_is_not(self, sessions: Sessions) -> None:
        with pytest.raises(ProblemError) as caught:
            await self.enter(sessions, Host="evil.example:8642")
        assert caught.value.problem == "forbidden"


class TestFiles:
    """A page may send a file in place of a form: its key then stands in a header."""

    pytestmark = pytest.mark.anyio
    page = Page("POST", "/x", unreached, largest_form=LARGEST_FORM, largest_file=8)

    async def send(
        self, sessions: Sessions, body: bytes, key: str | None = None, page: Page = page
    ) -> Visit:
        session = sessions.begin(BOX)
        named = {
            "Host": HOST, "Origin": f"http://{HOST}", "Content-Type": "text/csv; charset=utf-8",
            "Cookie": f"{sessions.cookie}={sessions.write(session)}",
            "X-Form-Key": sessions.form_key(session) if key is None else key,
        }  # fmt: skip
        scope = {**scope_of("POST", "/x", named), "client": ("127.0.0.1", 5000)}
        visit, _ = await Entrance(sessions).admit(Request(scope, Exchange([body]).receive), page)
        return visit

    async def test_a_file_arrives_as_it_is(self, sessions: Sessions) -> None:
        assert (await self.send(sessions, b"\xff\xfe\r\n")).file == b"\xff\xfe\r\n"

    @pytest.mark.parametrize("key", ["", "0" * 64])
    async def test_without_the_key_of_the_session_it_is_refused(
        self, sessions: Sessions, key: str
    ) -> None:
        with pytest.raises(ProblemError) as caught:
            await self.send(sessions, b"1", key)
        assert caught.value.problem == "forbidden"

    async def test_one_that_is_too_large_is_refused(self, sessions: Sessions) -> None:
        with pytest.raises(ProblemError) as caught:
            await self.send(sessions, b"123456789")
        assert caught.value.problem == "invalid"

    async def test_other_pages_take_none(self, sessions: Sessions) -> None:
        with pytest.raises(ProblemError) as caught:
            await self.send(sessions, b"1", page=Page("POST", "/x", unreached))
        assert caught.value.problem == "invalid"


class TestForms:
    pytestmark = pytest.mark.anyio

    async def read(self, body: bytes, kind: str = FORM_TYPE) -> dict[str, str]:
        sent = Exchange([body])
        scope = scope_of("POST", "/x", {"Content-Type": kind})
        return await read_form(Request(scope, sent.receive))

    async def test_fields_are_read(self) -> None:
        found = await self.read(b"name=a+b%26c&empty=", FORM_TYPE + "; charset=utf-8")
        assert found == {"name": "a b&c", "empty": ""}

    async def test_a_page_may_take_a_larger_form(self) -> None:
        body = b"a=" + b"x" * LARGEST_FORM
        scope = scope_of("POST", "/x", {"Content-Type": FORM_TYPE})
        form = await read_form(Request(scope, Exchange([body]).receive), 2 * LARGEST_FORM)
        assert len(form["a"]) == LARGEST_FORM

    async def test_no_fields_are_a_form_too(self) -> None:
        assert await self.read(b"") == {}

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"{}", "application/json"),
            (b"a=1", "multipart/form-data"),
            (b"a=1", "text/plain"),
            (b"a=1&a=2", FORM_TYPE),
            (b"a=%ff", FORM_TYPE),
            (b"\xff", FORM_TYPE),
            (b"nothing", FORM_TYPE),
            (b"&".join(b"f%d=1" % at for at in range(30)), FORM_TYPE),
            (b"a=" + b"x" * LARGEST_FORM, FORM_TYPE),
        ],
    )
    async def test_anything_else_is_refused(self, body: bytes, kind: str) -> None:
        with pytest.raises(ProblemError) as caught:
            await self.read(body, kind)
        assert caught.value.problem == "invalid"
