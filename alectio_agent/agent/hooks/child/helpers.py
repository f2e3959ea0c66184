"""What a hook may import from `alectio_agent`: how far it is, whether to stop, what is missing.

Outside a hook process they do nothing, so that a hooks' file still runs on its own.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Optional, TypeVar

Item = TypeVar("Item")
Tell = Callable[..., None]

SHORTEST_GAP_S = 0.2
"""Between two reports: a loop over single samples must not drown the agent."""


class CheckpointMissing(Exception):  # noqa: N818 - the public name, read in `raise`
    """Raise it when a checkpoint is gone: the loop is then issued again, from nothing."""


class Stopped(Exception):  # noqa: N818 - the public name, read in `raise`
    """Raise it once `should_stop()` is true and a partial checkpoint is saved.

    The loop is then trained again later, with `payload["partial"]`.
    """


class ProgressReports:
    """Passes on how far a hook is, to whoever listens, a few times a second."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._tell: Optional[Tell] = None
        self._last_s = -math.inf

    def connect(self, tell: Optional[Tell]) -> None:
        """Listen from now on; None: no longer.

        Args:
            tell: Takes `done`, `total` and `numbers` by keyword.
        """
        self._tell = tell
        self._last_s = -math.inf

    def add(self, done: Any, total: Any, numbers: dict[str, Any]) -> None:
        """Note how far the hook is; most notes of a quick loop are dropped.

        Args:
            done: A number or None.
            total: A number or None.
            numbers: By name; what is no finite number is left out.
        """
        now_s = time.monotonic()
        if self._tell is None or now_s - self._last_s < SHORTEST_GAP_S:
            return
        self._last_s = now_s
        known = {name: _number(value) for name, value in numbers.items()}
        self._tell(
            done=_number(done),
            total=_number(total),
            numbers={name: value for name, value in known.items() if value is not None},
        )


REPORTS = ProgressReports()
"""One per process: hooks call plain functions, from any thread, and cannot be handed an object."""


STOP_WISH = threading.Event()
"""Set while the agent wants the running hook to stop. Reading it takes no lock."""


def should_stop() -> bool:
    """Whether the agent wants the running hook to save what it has, and to end."""
    return STOP_WISH.is_set()


def progress(done: Any, total: Any = None, **numbers: Any) -> None:
    """Say how far the running step is.

    Args:
        done: What is done, in any unit.
        total: All there is to do, in the same unit; None when unknown.
        numbers: Such as `loss=0.2`.
    """
    REPORTS.add(done, total, numbers)


def track(iterable: Iterable[Item], total: Optional[int] = None) -> Iterator[Item]:
    """Go through something, saying how far that is.

    Args:
        iterable: Anything to loop over.
        total: Number of items; by default its length, when it has one.

    Yields:
        The items.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    for done, item in enumerate(iterable):
        progress(done, total)
        yield item
    progress(total, total)


def _number(value: Any) -> Optional[float]:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None
    return number if math.isfinite(number) else None
