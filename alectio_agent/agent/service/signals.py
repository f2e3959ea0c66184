"""Signals become calls of the agent."""

import signal
from collections.abc import Callable
from types import FrameType


def on_signals(
    stop: Callable[[], None], cancel: Callable[[], None], reload: Callable[[], None]
) -> None:
    """Bind the signals of this process; call from the main thread.

    Args:
        stop: TERM or INT: once, twice, three times.
        cancel: QUIT: cancel now.
        reload: HUP: read the configuration again.
    """
    calls = {
        signal.SIGTERM: stop,
        signal.SIGINT: stop,
        signal.SIGQUIT: cancel,
        signal.SIGHUP: reload,
    }

    def asked(number: int, _: FrameType | None) -> None:
        calls[signal.Signals(number)]()

    for number in calls:
        signal.signal(number, asked)
