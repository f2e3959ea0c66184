"""What a stop does with the running step, and how it is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from alectio_agent.agent.hooks.stopping import CANCEL_GRACE_S
from alectio_agent.core.units import format_duration

StopMode = Literal["finish", "checkpoint", "cancel"]

SHUTDOWN_S = 300.0
"""For a checkpoint while the machine goes down."""


@dataclass(frozen=True)
class StopRules:
    """What the configuration says about stops.

    Attributes:
        when_stopped: What a stop does with the running step.
        on_shutdown: The same when the machine goes down.
        drain_timeout_s: How long a stop waits for the step; None: without limit.
    """

    when_stopped: StopMode = "finish"
    on_shutdown: StopMode = "checkpoint"
    drain_timeout_s: float | None = None


@dataclass(frozen=True)
class StopPlan:
    """What a stop does with the running step.

    Attributes:
        mode: `finish` waits for its end, `checkpoint` asks the hook to save and end, `cancel`
            ends it.
        limit_s: Seconds until it is cancelled; None: never.
        is_shutdown: The machine goes down.
    """

    mode: StopMode
    limit_s: float | None = None
    is_shutdown: bool = False

    @classmethod
    def of(cls, rules: StopRules, wanted: StopMode | None, *, is_shutdown: bool) -> Self:
        """Make the plan of a stop.

        Args:
            rules: From the configuration.
            wanted: What somebody said for this stop; None for what the rules say.
            is_shutdown: The machine goes down.
        """
        mode = wanted or (rules.on_shutdown if is_shutdown else rules.when_stopped)
        if mode == "cancel":
            return cls(mode, None, is_shutdown)
        limits_s = [rules.drain_timeout_s, SHUTDOWN_S if is_shutdown else None]
        limit_s = min((limit_s for limit_s in limits_s if limit_s is not None), default=None)
        return cls(mode, limit_s, is_shutdown)

    def words(self, jobs: Sequence[str]) -> str:
        """What is done, for the log.

        Args:
            jobs: Those of which a step runs.
        """
        if not jobs:
            return "stopping"
        why = "the machine goes down" if self.is_shutdown else "stopping"
        return f"{why}: {self._deed(jobs)}"

    def _deed(self, jobs: Sequence[str]) -> str:
        names, is_one = " and ".join(jobs), len(jobs) == 1
        if self.mode == "cancel":
            grace = format_duration(CANCEL_GRACE_S)
            are = "is" if is_one else "are"
            return f"{names} {are} cancelled (TERM now, KILL after {grace}); again to kill at once"
        if self.mode == "checkpoint":
            hooks = "hook" if is_one else "hooks"
            done = f"asking the {hooks} of {names} for a checkpoint"
        elif is_one:
            done = f"{names} finishes its running step"
        else:
            done = f"{names} finish their running steps"
        return f"{done} ({self._deadline()}); again to cancel"

    def _deadline(self) -> str:
        if self.limit_s is None:
            return "no deadline"
        return f"at most {format_duration(self.limit_s)}, then cancelled"
