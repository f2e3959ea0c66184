"""Passes events on to `notify.command`, one after the other, beside everything else."""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from pydantic import JsonValue

from alectio_agent.agent.hooks.shell_command import CommandEnd
from alectio_agent.config.notify import Event
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.units import format_duration

log = logging.getLogger(__name__)

LIMIT_S = 60.0
"""For one event; then the command is killed."""
LOOK_S = 60.0
"""Between looks at what no call tells: an outage that lasts, a token that ends soon."""
MOST_WAITING = 100
LONGEST_TEXT = 8000
"""Of a fact; commands put them into mails and messages."""


class Command(Protocol):
    """What is run for an event."""

    def run(self, limit_s: float, text: bytes) -> CommandEnd:
        """Run it with a text on its standard input."""

    def stop(self) -> None:
        """Kill it, now and whenever it is run again; from any thread."""


class Notifier:
    """A step object: one turn passes on one event. Other methods: from any thread.

    An event is passed on once, as well as that can be done: it is lost when the command fails, and
    when the agent ends first.
    """

    is_failing = False

    def __init__(self, command: Command | None, on: list[Event], agent: str, clock: Clock) -> None:
        """Start without events; `watches` are looked at now and then.

        Args:
            command: What is run; None: nobody wants to know.
            on: The events that it is run for.
            agent: Name of this agent.
            clock: For the time of an event.
        """
        self._command = command
        self._on = frozenset(on if command is not None else ())
        self._agent = agent
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[dict[str, JsonValue]] = deque()
        self._is_cut = False
        self.watches: list[Callable[[], None]] = []
        self.wake = threading.Event()

    def change(self, on: list[Event]) -> None:
        """Pass on other events from now on; from any thread.

        Args:
            on: Their names; none: nobody wants to know any more.
        """
        self._on = frozenset(on if self._command is not None else ())

    @property
    def is_idle(self) -> bool:
        """Whether no event waits."""
        return self._is_cut or not self._waiting

    def tell(self, event: Event, **facts: JsonValue) -> None:
        """Take an event; see `jobs.events.Tell`."""
        if event not in self._on:
            return
        said: dict[str, JsonValue] = {
            "event": event, "at": timestamp(self._clock.now()), "agent": self._agent,
        }  # fmt: skip
        for name, fact in facts.items():
            said[name] = fact[:LONGEST_TEXT] if isinstance(fact, str) else fact
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                lost = self._waiting.popleft()
                log.warning("notify.command: too many events wait; not passed on: %s", _name(lost))
            self._waiting.append(said)
        self.wake.set()

    def step(self) -> float:
        """Pass on the oldest event, or look whether there is one.

        Returns:
            Seconds to wait before the next turn.
        """
        with self._lock:
            said = self._waiting.popleft() if self._waiting and not self._is_cut else None
        if said is None:
            for look in self.watches:
                look()
            return LOOK_S
        self._pass_on(said)
        return 0.0

    def hurry(self) -> None:
        """The agent is about to stop: nothing is put off here anyway."""

    def interrupt(self) -> None:
        """The agent does not wait any longer."""
        self._is_cut = True
        with self._lock:
            left = [_name(said) for said in self._waiting]
        if left:
            log.warning("notify.command: not passed on before the stop: %s", ", ".join(left))
        if self._command is not None:
            self._command.stop()

    def _pass_on(self, said: dict[str, JsonValue]) -> None:
        assert self._command is not None  # noqa: S101 - without one no event is taken
        try:
            end = self._command.run(LIMIT_S, json.dumps(said).encode() + b"\n")
        except OSError as error:
            why = f"it cannot be run: {error.strerror}"
        else:
            why = "" if end.code == 0 else _words(end)
        if why:
            log.warning("notify.command: not passed on: %s: %s", _name(said), why)
        else:
            log.debug("notify.command: passed on: %s", _name(said))


def _words(end: CommandEnd) -> str:
    if end.is_stopped:
        return "it was killed, since the agent stops"
    printed = f"; it printed last: {end.last_line}" if end.last_line else ""
    if end.code is None:
        return f"it was killed (it may take {format_duration(LIMIT_S)}){printed}"
    how = f"exit code {end.code}" if end.code > 0 else f"killed by signal {-end.code}"
    return f"{how}{printed}"


def _name(said: dict[str, JsonValue]) -> str:
    about = said.get("job") or said.get("experiment")
    return f"`{said['event']}`{f' of {about}' if about else ''}"
