"""Opens the debugger where a hook raised, on the terminal that this process was given."""

from __future__ import annotations

import pdb
from types import FrameType, TracebackType
from typing import Any, Optional

from alectio_agent.agent.hooks.child.failures import is_ours
from alectio_agent.agent.hooks.child.ownership import OwnFiles


def open_debugger(error: BaseException, own: OwnFiles) -> None:
    """Let a person look around, until they leave the debugger.

    Args:
        error: What the hook raised.
        own: Which files are the user's: their deepest place is shown first.
    """
    trace = error.__traceback__
    while trace is not None and is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    if trace is None:
        return
    debugger = _AtUserCode(own)
    debugger.reset()
    debugger.interaction(None, trace)


class _AtUserCode(pdb.Pdb):
    """Begins in the user's code, not in the library below that raised."""

    def __init__(self, own: OwnFiles) -> None:
        super().__init__()
        self._own = own

    def get_stack(
        self, f: Optional[FrameType], t: Optional[TracebackType]
    ) -> tuple[list[tuple[FrameType, int]], int]:
        """The frames from the outermost to the innermost, and which of them to begin with."""
        stack: list[Any]
        stack, place = super().get_stack(f, t)
        owned = [at for at, (frame, _) in enumerate(stack) if self._own.holds(_file(frame))]
        return stack, owned[-1] if owned else place


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename
