"""What systemd is told of a running agent: ready, alive, reloading, stopping, and how it stands."""

import faulthandler
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from alectio_agent.agent.service.pulse import Pulse
from alectio_agent.agent.service.status_words import status_words
from alectio_agent.agent.service.threads import Driver, Spawn, spawn_thread
from alectio_agent.core.clock import Clock
from alectio_agent.core.notify_socket import (
    ALIVE,
    READY,
    STOPPING,
    NotifySocket,
    extend_stop,
    reloading,
    status,
)

if TYPE_CHECKING:  # it would import the whole agent, before the hooks begin to load
    from alectio_agent.agent.service.snapshot import AgentSnapshot

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

LOOK_S = 10.0
"""Between looks: how old a status may be."""
LOOKS_IN_TIME = 3
"""So often the watchdog is fed in the time that it gives."""
LONGEST_START_S = 600.0
"""Until the hooks are loaded; as long as the unit's `TimeoutStartSec=`."""
EXTENSION_S = 90.0
"""What each look of a stop asks for while a step runs; several of them may get lost."""


class Watched(Protocol):
    """The agent as it is seen from here."""

    @property
    def hung(self) -> str:
        """The loop whose turn does not come back; empty while all turn."""

    @property
    def has_work(self) -> bool:
        """Whether a step still runs, or a result is still being sent."""

    @property
    def stopping(self) -> threading.Event:
        """Set as soon as the agent was asked to stop."""

    def snapshot(self) -> "AgentSnapshot":
        """What it is doing."""


class Lifeline:
    """A step object: one turn looks at the agent, and tells systemd what is new.

    The watchdog is fed by the turns of the poll loop and of the sender, not by their success: an
    outage is no reason to kill an agent. A turn that does not come back is, for nobody else would
    ever notice.
    """

    def __init__(self, socket: NotifySocket, clock: Clock) -> None:
        """Start without an agent.

        Args:
            socket: Leads to systemd; says how long silence may last.
            clock: For the time between looks.
        """
        self._socket, self._clock = socket, clock
        fed_s = LOOK_S if socket.watchdog_s is None else socket.watchdog_s / LOOKS_IN_TIME
        self._every_s = min(LOOK_S, fed_s)
        self._lock = threading.Lock()
        self._start = Pulse(clock)
        self._agent: Watched | None = None
        self._starts_again: Callable[[], bool] = bool
        self._is_stopping = False
        self._hung = self._words = ""
        self._over = threading.Event()
        self.wake = threading.Event()

    def begin(self, spawn: Spawn = spawn_thread) -> None:
        """Look from now on, if anybody listens; a restart in its own place is watched already.

        Args:
            spawn: Starts the thread.
        """
        if not self._socket.is_heard:
            return
        if self._socket.watchdog_s is not None:
            # The watchdog's ABRT then leaves in the journal where each thread stood.
            faulthandler.enable()
        self._start.turn(LONGEST_START_S)
        Driver("systemd", self, self._clock, self._over.is_set, self._crashed, spawn=spawn).start()

    def ready(self, agent: Watched, starts_again: Callable[[], bool]) -> None:
        """The poll loop stands: what the platform says to it is no question of being ready.

        Args:
            agent: Started.
            starts_again: Whether its end is followed by a start in its own place.
        """
        self._start.end()
        with self._lock:
            self._agent, self._starts_again = agent, starts_again
            self._socket.tell(READY, *self._lines())

    def step(self) -> float:
        """Look once.

        Returns:
            Seconds until the next look.
        """
        with self._lock:
            self._socket.tell(*self._lines())
        return self._every_s

    def around_reload(self, call: Callable[[], ResultT]) -> Callable[[], ResultT]:
        """A reload that systemd knows of.

        Args:
            call: Reads the configuration again.

        Returns:
            The same, with its beginning and its end told.
        """

        def told() -> ResultT:
            if self._is_stopping:
                return call()
            self._socket.tell(*reloading(self._clock.monotonic()))
            try:
                return call()
            finally:
                self._socket.tell(READY)

        return told

    def close(self) -> None:
        """Look no more: the agent has ended, and so will the process."""
        self._over.set()
        self.wake.set()

    def start_again(self) -> None:
        """This process becomes a new one: for systemd it reloads until that is ready."""
        with self._lock:
            self._socket.tell(*reloading(self._clock.monotonic()), ALIVE, status("starting again"))

    def _lines(self) -> list[str]:
        lines, hung = [], self._look_for_hung()
        if self._socket.watchdog_s is not None and not hung:
            lines.append(ALIVE)
        agent = self._agent
        if agent is not None and agent.stopping.is_set() and not self._starts_again():
            if not self._is_stopping:
                lines.append(STOPPING)
            self._is_stopping = True
            if agent.has_work and not hung:
                lines.append(extend_stop(EXTENSION_S))
        words = _words(agent, hung)
        if words != self._words:
            lines.append(status(words))
            self._words = words
        return lines

    def _look_for_hung(self) -> str:
        """The name of what hangs; said once."""
        hung = "start" if self._start.is_late else ""
        if self._agent is not None:
            hung = self._agent.hung
        if hung and not self._hung:
            log.error("the %s hangs: a turn of it does not come back; systemd is told no more "
                      "that this agent lives", hung)  # fmt: skip
        self._hung = hung
        return hung

    def _crashed(self, error: BaseException) -> None:
        log.error("systemd: unexpected, it is told no more: %r", error, exc_info=error)


def _words(agent: Watched | None, hung: str) -> str:
    if hung:
        return f"the {hung} hangs"
    return "starting: loading the hooks" if agent is None else status_words(agent.snapshot())
