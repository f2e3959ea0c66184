"""Hooks in memory: give results, or raise, as told."""

from collections.abc import Callable
from typing import Any

from alectio_agent.agent.hooks.steps import StepOutcome, StepRun


def make_outcome(**changed: Any) -> StepOutcome:
    """An empty inline result."""
    return StepOutcome(
        **{
            "media_type": "application/json",
            "rows": 0,
            "parts": (),
            "inline": {},
            "started_at": "2026-01-01T00:00:00.000Z",
            "finished_at": "2026-01-01T00:00:01.000Z",
            "duration_s": 1.0,
            "warnings": (),
            **changed,
        }
    )


class FakeHooks:
    """Implements `jobs.slot.SlotHooks`."""

    def __init__(self) -> None:
        self.runs: list[StepRun] = []
        self.cancels: list[float] = []
        self._said: list[Any] = []
        self.idle_s: float | None = None
        self.is_closed = False
        self.ready = 1
        self.refreshed = 0
        self.was_cancelled = False

    def say(self, *answers: StepOutcome | Exception | Callable[[], StepOutcome]) -> None:
        """What the next steps do."""
        self._said.extend(answers)

    def run(self, step_run: StepRun) -> StepOutcome:
        self.runs.append(step_run)
        answer = self._said.pop(0) if self._said else make_outcome()
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, grace_s: float) -> None:
        self.cancels.append(grace_s)

    def readiness(self, pipeline: str, experiment: str) -> int:
        return self.ready

    def kill(self) -> None:
        self.cancels.append(0.0)

    def close(self) -> None:
        self.is_closed = True

    def refresh(self) -> None:
        self.refreshed += 1

    def evict_idle(self) -> float | None:
        return self.idle_s

    @property
    def steps(self) -> list[str]:
        return [run.step for run in self.runs]
