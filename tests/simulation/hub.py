"""The hub in the simulated world: its real rules, without threads, event loop and HTTP server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alectio_agent.agent.client.transport import Request, Response
from alectio_agent.core.errors import PlatformUnavailableError, ProblemError
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.api.problems import problem_response, unexpected_response
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.selection_worker import SelectionWorker
from tests.simulation.analysis import RandomAnalysis
from tests.simulation.hub_calls import HubCalls
from tests.simulation.hub_store import SimStore, new_database
from tests.simulation.network import Connection
from tests.simulation.scheduler import SimClock

if TYPE_CHECKING:
    from tests.simulation.life import Life
    from tests.simulation.world import World

TICK_S = 13.0
"""The real one looks each second; seldom enough here to be cheap, often enough for its limits."""


class HubLife:
    """One process of the hub; owns its actors."""

    def __init__(self) -> None:
        self.paused_until = 0.0


class SimHub:
    """All lives of the hub over one folder."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.clock = SimClock(world.scheduler)
        self.engine = new_database()
        self._folder = world.folder / "hub"
        self.is_up = False
        self._open: dict[Connection, None] = {}
        self.lives = 0
        self.life: HubLife
        self.platform: Platform
        self.store: SimStore
        self.dealer: Dealer
        self.start()

    def start(self) -> None:
        """A new process: tables and files are there, memory is empty."""
        world = self._world
        self.lives += 1
        self.life = HubLife()
        self.store = SimStore(self.engine)
        self.platform = Platform(self._folder, self._folder / "results", self.clock)
        self.platform.claiming.follow(self.store)  # type: ignore[arg-type]
        self.dealer = Dealer(self.store, self.platform.claiming, self.clock)  # type: ignore[arg-type]
        self.dealer.listen(_Loop(world, self.life))  # type: ignore[arg-type]
        self.store.on_commit(self.dealer.committed)
        self.calls = HubCalls(world, self)
        selections = SelectionWorker(
            self.store, self.platform, RandomAnalysis(world), self.dealer.write  # type: ignore[arg-type]
        )  # fmt: skip
        self._turn("selections", selections.step, selections.wake)
        self._turn("ticker", self._tick, None)
        self.is_up = True
        world.history.note("hub starts", life=self.lives)

    def start_again(self) -> None:
        """Unless somebody did already."""
        if not self.is_up:
            self.start()

    def stop(self) -> None:
        """It is killed: all that was in memory is gone."""
        self._world.history.note("hub dies", life=self.lives)
        self.is_up = False
        for connection in list(self._open):
            connection.cut()
        self._world.scheduler.kill(self.life)
        self.dealer.deafen()
        self.store.close()

    def answer(self, request: Request, body: bytes, line: Connection, life: "Life") -> Response:
        """Answer a request, as the HTTP layer does."""
        served_by, told = self.life, self._world.history.note
        self._open[line] = None
        try:
            response = self._serve(request, body, line)
        finally:
            self._open.pop(line, None)
        if self.life is not served_by or not self.is_up:
            raise PlatformUnavailableError("the hub is gone", silence="cut")
        call = f"{request.method} {request.path}"
        told("answer", to=life.machine.name, life=life.number, call=call, status=response.status,
             body=response.body, request=body)  # fmt: skip
        return response

    def copy(self, request: Request, body: bytes) -> None:
        """Take a copy of an older request; nobody hears the answer."""
        response = self._serve(request, body, Connection(is_copy=True))
        call = f"{request.method} {request.path}"
        self._world.history.note("copy", call=call, status=response.status, body=response.body)

    def _serve(self, request: Request, body: bytes, line: Connection) -> Response:
        try:
            return self.calls.serve(request, body, line)
        except ProblemError as error:
            self._world.judge.refused(request, error)
            return _as_response(problem_response(error))
        except AssertionError as error:
            self._world.history.violate(f"the hub crashed: {error!r}")
            self._world.note_crash(error)
            return _as_response(unexpected_response(500))

    def _tick(self) -> float:
        if self.platform.may_have_claims:
            self.store.write(self.platform.tick).result()
        return TICK_S

    def _turn(self, name: str, step: Callable[[], float], wake: Any) -> None:
        scheduler = self._world.scheduler

        def run() -> None:
            while True:
                seconds = step()
                if wake is None:
                    scheduler.sleep(seconds)
                else:
                    scheduler.wait(wake, seconds)
                    wake.clear()

        scheduler.spawn(f"hub {name}", run, self.life)


class _Loop:
    """What the dealer needs of an event loop."""

    def __init__(self, world: "World", life: HubLife) -> None:
        self._world = world
        self._life = life

    def call_soon_threadsafe(self, say: Callable[[Any], None], said: Any) -> None:
        self._world.scheduler.after(0.0, lambda: say(said))

    def call_later(self, seconds: float, action: Callable[[], None]) -> "_Timer":
        timer = _Timer()

        def ring() -> None:
            if not timer.is_cancelled and self._world.hub.life is self._life:
                action()

        self._world.scheduler.after(seconds, ring)
        return timer


class _Timer:
    def __init__(self) -> None:
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


def _as_response(answer: Any) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(answer.status_code, headers, bytes(answer.body))
