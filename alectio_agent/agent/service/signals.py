"""Signals become calls of the agent."""

import signal
from collections.abc import Callable
from types import FrameType


def on_signals(stop: Callable[[], None], cancel: Callable[[], None]) -> None:
    """Bind the signals of this process; call from the main thread.

    Args:
        stop: TERM or INT: once, twice, three times.
        cancel: QUIT: cancel now.
    """

    def asked(number: int, _: FrameType | None) -> None:
        (cancel if number == signal.SIGQUIT else stop)()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, asked)
