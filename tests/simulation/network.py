"""The lines between agents and the hub: they lose, delay, repeat and garble what they carry."""

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING

from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.client.transport import Request, Response
from alectio_agent.core.errors import PlatformUnavailableError

if TYPE_CHECKING:
    from tests.simulation.life import Life
    from tests.simulation.world import World

CLAIMS = "/v1/claims"
HTML = {"content-type": "text/html"}
PAGES = (
    Response(200, HTML, b"<html>Please accept the terms of this network</html>"),
    Response(200, {"content-type": "application/json"}, b'{"status": "acc'),
    Response(200, {"content-type": "text/plain"}, b'{"status": "accepted"}'),
    Response(200, {"content-type": "application/json"}, b"{}"),
    Response(403, HTML, b"<html>blocked by policy</html>"),
    Response(404, HTML, b"<html>not here</html>"),
    Response(409, {"content-type": "application/json"}, b'{"type": "lease-lost"}'),
    Response(302, {"location": "https://elsewhere.example.org"}, b""),
)
DOWN = (
    Response(502, HTML, b"<html>bad gateway</html>"),
    Response(503, {**HTML, "retry-after": "7"}, b"<html>try later</html>"),
    Response(500, {"content-type": "application/problem+json"}, b'{"type": "about:blank"}'),
)


class Connection:
    """One request on its way, as the hub sees it."""

    def __init__(self, *, is_copy: bool = False) -> None:
        self.is_copy = is_copy
        self.event = Event()
        """Set when there is something to look at: an answer, or the end of the line."""
        self.is_cut = False

    def cut(self) -> None:
        self.is_cut = True
        self.event.set()


class SimTransport:
    """Implements `agent.client.transport.Transport` for one part of one agent."""

    def __init__(self, network: "Network", life: "Life") -> None:
        self._network = network
        self._life = life
        self._is_refusing = False
        self._under_way: dict[Connection, None] = {}

    def send(self, request: Request) -> Response:
        if self._is_refusing:
            raise PlatformUnavailableError("interrupted", silence="interrupted")
        self._life.point("send")
        connection = Connection()
        self._under_way[connection] = None
        try:
            response = self._network.carry(self._life, request, connection)
        finally:
            self._under_way.pop(connection, None)
        self._life.point("answer")
        self._life.world.judge.delivered(self._life, request, response)
        return response

    def interrupt(self) -> None:
        self._is_refusing = True
        self.cut()

    def cut(self) -> None:
        """All that is under way ends."""
        for connection in list(self._under_way):
            connection.cut()

    @property
    def is_refusing(self) -> bool:
        """Whether it was told to end."""
        return self._is_refusing


class Network:
    """Carries requests to the hub, and answers back."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def line(self, life: "Life") -> SimTransport:
        """A way to the hub that others neither wait for nor cut."""
        line = SimTransport(self, life)
        life.lines.append(line)
        return line

    def carry(self, life: "Life", request: Request, connection: Connection) -> Response:
        """Bring one request to the hub and its answer back, if the line does not fail."""
        world, faults = self._world, self._world.faults
        body = _body_of(request)
        self._repeat(request, body)
        self._pass(faults.between(0.001, 0.1), connection)
        if self._is_unreachable(life):
            self._pass(faults.between(0.0, 10.0), connection)
            raise PlatformUnavailableError("nobody there", silence="unreachable")
        if faults.happens("message lost", faults.rates.lost):
            self._never(request, connection)
        if faults.happens("message late", faults.rates.late):
            self._pass(faults.between(0.1, request.read_timeout_s * 0.9), connection)
        if faults.happens("5xx before", faults.rates.broken / 2):
            return faults.rng.choice(DOWN)
        if not world.hub.is_up:
            raise PlatformUnavailableError("nobody there", silence="unreachable")
        world.history.note("send", at=life.machine.name, life=life.number, **_told(request, body))
        world.judge.sent(life, request, body)
        response = world.hub.answer(request, body, connection, life)
        # A claim that got lost is the rarest, and the most dangerous.
        times = 5 if request.path == CLAIMS and response.status == 200 else 1
        if faults.happens("answer swallowed", faults.rates.swallowed * times):
            self._never(request, connection)
        self._pass(faults.between(0.001, 0.1), connection)
        if faults.happens("5xx after", faults.rates.broken / 2):
            return faults.rng.choice(DOWN)
        if faults.happens("garbage", faults.rates.broken):
            return faults.rng.choice(PAGES)
        return response

    def _is_unreachable(self, life: "Life") -> bool:
        now = self._world.scheduler.now
        return life.machine.offline_until > now or not self._world.hub.is_up

    def _never(self, request: Request, connection: Connection) -> None:
        """The answer does not come: the line ends, or the deadline does."""
        if self._world.faults.rng.random() < 0.5:
            self._pass(self._world.faults.between(0.0, 2.0), connection)
            raise PlatformUnavailableError("cut", silence="cut")
        self._pass(request.read_timeout_s, connection)
        raise PlatformUnavailableError("late", silence="late")

    def _pass(self, seconds: float, connection: Connection) -> None:
        self._world.scheduler.wait(connection.event, seconds)
        if connection.is_cut:
            raise PlatformUnavailableError("interrupted", silence="interrupted")

    def _repeat(self, request: Request, body: bytes) -> None:
        """Something on the way sends it once more, perhaps long after."""
        faults = self._world.faults
        if faults.happens("message twice", faults.rates.twice):
            later_s = faults.rng.choice((0.0, 0.5, 5.0, 60.0, 400.0)) * faults.rng.random()
            self._world.scheduler.after(later_s, lambda: self._bring_again(request, body))

    def _bring_again(self, request: Request, body: bytes) -> None:
        world, hub = self._world, self._world.hub
        if not hub.is_up:
            return
        forged = world.judge.forge(request, body)
        if forged is not None and world.faults.happens("key with other content", 0.5):
            body = forged
        world.scheduler.spawn("copy", lambda: _quietly(hub.copy, request, body), hub.life)


def _quietly(bring: Callable[[Request, bytes], None], request: Request, body: bytes) -> None:
    try:
        bring(request, body)
    except PlatformUnavailableError:
        return  # nobody waits for the answer


def _body_of(request: Request) -> bytes:
    if isinstance(request.body, FileSlice):
        try:
            return b"".join(request.body)
        except OSError as error:
            raise PlatformUnavailableError(str(error), silence="cut") from error
    return request.body if isinstance(request.body, bytes) else b""


def _told(request: Request, body: bytes) -> dict[str, object]:
    return {"call": f"{request.method} {request.path}", "body": body}
