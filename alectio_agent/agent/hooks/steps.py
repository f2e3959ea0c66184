"""What goes into a step of a job, and what comes out."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from alectio_agent.agent.hooks.provenance import Provenance
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import StoreUnavailableError

log = logging.getLogger(__name__)


def always() -> bool:
    """The default of `StepRun.is_wanted`."""
    return True


def ignore(part: "PartFile") -> None:
    """The default of `StepRun.on_part`."""


def say_so(error: StoreUnavailableError) -> None:
    """The default of `StepRun.on_wait`."""
    log.warning("the result waits for its disk: %s", error)


@dataclass(frozen=True)
class PartFile:
    """One file of a result, synced.

    Attributes:
        file: Its name in the result's folder.
        sha256: Of its content.
    """

    file: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class StepRun:
    """One step to run.

    Attributes:
        experiment_id: The platform's; empty when nothing is left for a next attempt, as in `try`.
        job: `experiment/loop`, for people.
        payload: As on the wire; indices in increasing order, in a list or an `array`.
        output: What rows of `infer` hold, such as `logits`.
        folder: For the result; exists, is empty.
        log_file: Gets what the hook prints.
        is_wanted: Asked once when the step begins and can be cancelled: a cancel that came a
            moment too early is not missed.
        in_warm: Train from nothing in the process at hand: `try` looks for globals that carry over.
        is_debugged: A debugger opens where the hook raises, on this terminal, without time limits.
        on_part: Told of each part as soon as its content is durable; the step may still fail.
        again: What to type once a failure is mended; empty for the usual words.
        on_wait: Told each time that the disk did not take what the hook has computed; that is
            kept in the process, and tried again.
        is_measured: Whether somebody wants to know what memory the step takes.
    """

    pipeline_name: str
    pipeline: PipelineSettings
    experiment: str
    job: str
    loop: int
    loops: int
    seed: int
    step: str
    payload: dict[str, Any]
    task: str
    classes: int | None
    class_names: list[str] | None
    output: str | None
    folder: Path
    log_file: Path
    experiment_id: str = ""
    is_wanted: Callable[[], bool] = always
    in_warm: bool = False
    is_debugged: bool = False
    again: str = ""
    on_part: Callable[[PartFile], None] = ignore
    on_wait: Callable[[StoreUnavailableError], object] = say_so
    is_measured: bool = False


@dataclass(frozen=True)
class StepOutcome:
    """The result of a step.

    Attributes:
        inline: A small result itself; None when it lies in parts.
        started_at: RFC 3339, agent's clock.
        duration_s: Of the hook alone.
        warnings: What a person should know.
        provenance: What it was made of; of `train` only.
        memory_bytes: The most that the hook process held; None when it was not measured.
        gpu_bytes: The most that torch held on one GPU; None when it used none, either.
    """

    media_type: str
    rows: int
    parts: tuple[PartFile, ...]
    inline: dict[str, Any] | None
    started_at: str
    finished_at: str
    duration_s: float
    warnings: tuple[str, ...]
    provenance: Provenance | None = None
    memory_bytes: int | None = None
    gpu_bytes: int | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any], times: tuple[str, str], warnings: list[str]) -> Self:
        """From what the hook process reported.

        Args:
            told: Its last report.
            times: When the step started and finished.
            warnings: Its own, and those of the agent.
        """
        return cls(
            media_type=told["media_type"],
            rows=told["rows"],
            parts=tuple(PartFile(**part) for part in told["parts"]),
            inline=told["inline"],
            started_at=times[0],
            finished_at=times[1],
            duration_s=told["duration_s"],
            warnings=tuple(warnings),
            memory_bytes=told.get("memory_bytes"),
            gpu_bytes=told.get("gpu_bytes"),
        )
