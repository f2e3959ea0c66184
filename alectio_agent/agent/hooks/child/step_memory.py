"""The most memory that a step held: of the machine, and of the GPUs once torch uses them."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

SHORT_S = 0.1
"""To read the memory of a step that takes less would cost a good part of a percent."""
_FORGET_PEAK = b"5"
"""What the kernel wants to read, see `proc(5)` about `clear_refs`."""


def begin_peak() -> None:
    """Let the peak of this process begin anew; nothing happens where that cannot be done."""
    with suppress(OSError), open("/proc/self/clear_refs", "wb", buffering=0) as file:
        file.write(_FORGET_PEAK)
    with suppress(Exception):  # whatever a driver, or somebody's module of that name, raises
        cuda = _cuda()
        for number in range(0 if cuda is None else cuda.device_count()):
            cuda.reset_peak_memory_stats(number)


def peaks() -> dict[str, int | None]:
    """What was held at the most since then.

    Returns:
        `memory_bytes` of this process, and `gpu_bytes` of the GPU with the most; None for what
        cannot be told.
    """
    return {"memory_bytes": _host_bytes(), "gpu_bytes": _gpu_bytes()}


class Peaks:
    """Those of the steps of one process; of short steps the first time only."""

    def __init__(self) -> None:
        """Begin without any."""
        self._read: set[str] = set()

    def of(self, step: str, duration_s: float) -> dict[str, int | None]:
        """The peaks of a step that has just ended.

        Args:
            step: Which.
            duration_s: What it took.

        Returns:
            As `peaks`; empty when they are not worth reading.
        """
        if duration_s < SHORT_S and step in self._read:
            return {}
        self._read.add(step)
        return peaks()


def _host_bytes() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        with open("/proc/self/status", "rb") as file:
            text = file.read()
        return int(text.partition(b"VmHWM:")[2].split(None, 1)[0]) * 1024
    return None


def _gpu_bytes() -> int | None:
    with suppress(Exception):
        cuda = _cuda()
        if cuda is not None:
            return max(int(cuda.max_memory_allocated(at)) for at in range(cuda.device_count()))
    return None


def _cuda() -> Any:
    """`torch.cuda` when the user's code has put something onto a GPU: asking starts none."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None
