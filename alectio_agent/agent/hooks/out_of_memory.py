"""The errors for hooks that were killed because of memory: by this agent, or by the kernel."""

from dataclasses import dataclass

from alectio_agent.agent.hooks.failures import Scene, mend
from alectio_agent.agent.hooks.memory import Excess
from alectio_agent.agent.hooks.oom import MemoryBound
from alectio_agent.core.errors import HookError, HookMemoryError
from alectio_agent.core.units import format_size

NOT_FOR_MEMORY = "It was not for memory: the kernel has ended nothing for that meanwhile"
LESS = "Smaller batches and fewer workers take less"


@dataclass(frozen=True)
class KernelKill:
    """What is known when the kernel ended processes for memory while a hook ran.

    Attributes:
        count: How many.
        peak_bytes: The most that the hook process, or a child of it, held at any time; 0 when
            that is not known.
        bound: The narrowest limit that held for it; None when that is not known.
    """

    count: int
    peak_bytes: int
    bound: MemoryBound | None

    @property
    def numbers(self) -> str:
        """What was held, and what there is, for people: in brackets, or empty."""
        said = []
        if self.peak_bytes:
            said.append(f"its largest process held {format_size(self.peak_bytes)}")
        if self.bound is not None:
            said.append(f"{self.bound.what} is {format_size(self.bound.bytes)}")
        return f" ({'; '.join(said)})" if said else ""


def to_excess(excess: Excess, scene: Scene) -> HookMemoryError:
    """The error for a hook that took more than `memory` allows.

    Args:
        excess: How much, and who.
        scene: Where it happened.
    """
    key = f"pipelines.{scene.pipeline_name}.memory"
    parts = [f"{share.name} {share.pid}: {format_size(share.bytes)}" for share in excess.largest]
    return HookMemoryError(
        f"E-HOOK-14  {scene.what}: the hook took {format_size(excess.found_bytes)} of memory in "
        f"{_processes(excess.count)}, more than {format_size(excess.limit_bytes)} ({key}); all "
        "were killed",
        hint=f"Largest: {', '.join(parts)}. {LESS}; or raise {key}{_again(scene)}. "
        f"{scene.in_log('What it printed')}",
    )


def to_kernel_kill(kill: KernelKill, scene: Scene) -> HookMemoryError:
    """The error for a hook process that the kernel ended for memory.

    Args:
        kill: What is known.
        scene: Where it happened.
    """
    return HookMemoryError(
        f"E-HOOK-15  {scene.what}: the kernel killed the hook process because memory ran out"
        f"{kill.numbers}",
        hint=f"{LESS}; or give the machine or the control group more{_again(scene)}. "
        f"{scene.in_log('What it printed')}",
    )


def to_worker_kill(error: HookError, kill: KernelKill, scene: Scene) -> HookMemoryError:
    """The error for a hook that raised after the kernel had ended a process beside it.

    Args:
        error: What it raised.
        kill: What is known.
        scene: Where it happened.
    """
    return HookMemoryError(
        f"E-HOOK-15  {scene.what}: the kernel killed {_processes(kill.count)} of this agent's "
        f"control group because memory ran out{kill.numbers}; then the hook raised",
        hint=f"{error.message}. {LESS}; or give the control group more{_again(scene)}. "
        f"{scene.in_log('The traceback')}",
        traceback=error.traceback,
    )


def _again(scene: Scene) -> str:
    if not scene.step or scene.again:
        return ""
    told = mend(scene.what)
    first, rest = told[0].lower(), told[1:]
    return f". It is tried again by itself (`retries`); if that does not help, {first}{rest}"


def _processes(number: int) -> str:
    return f"{number:,} process{'' if number == 1 else 'es'}"
