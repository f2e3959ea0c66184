"""Signals become calls of the agent."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

from alectio_agent.core.errors import StoppedError


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
        # A handler runs in the middle of the main thread, which may hold the very lock that
        # setting an event needs: another thread can wait for it.
        threading.Thread(target=calls[signal.Signals(number)]).start()

    for number in calls:
        signal.signal(number, asked)


def on_early_signals() -> None:
    """Bind the signals while there is no agent yet: a stop ends the start.

    Raises:
        StoppedError: In the main thread, when TERM, INT or QUIT comes.
    """

    def asked(number: int, _: FrameType | None) -> None:
        raise StoppedError(f"stopped by {signal.Signals(number).name} before anything ran")

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, asked)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
