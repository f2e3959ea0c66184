"""What to try, and on which samples."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.config.pipeline import PipelineSettings

MOST_LABELS = 64
LABELS_PER_CLASS = 2
MOST_OTHERS = 200
SUFFIX = "-try"
LONGEST_NAME = 64


@dataclass(frozen=True)
class TrialOrder:
    """A pipeline, and what an experiment asks of it.

    Attributes:
        pipeline: Its checkpoints lie in the folder of `try`.
        experiment: A name that no experiment has, so that hooks which keep their files elsewhere
            do not meet those of a real one.
        batch: Size of loop 0.
        folder: Of `try`; exists.
        ignored: Folders that others write to meanwhile.
        is_debugged: With a debugger on this terminal, without time limits.
        is_full: Repeat `train` even when it takes long.
        needs_labels: People give them: `train` gets some that are made up.
    """

    pipeline_name: str
    pipeline: PipelineSettings
    experiment: str
    task: str
    classes: int | None
    class_names: list[str] | None
    output: str | None
    seed: int
    batch: int
    folder: Path
    ignored: tuple[Path, ...] = ()
    is_debugged: bool = False
    is_full: bool = False
    needs_labels: bool = False

    @property
    def log_file(self) -> Path:
        """Gets what the hooks print."""
        return self.folder / "hooks.log"

    @property
    def second_experiment(self) -> str:
        """A name for another experiment with the same samples."""
        return f"{self.experiment}-2"

    @property
    def third_experiment(self) -> str:
        """A name for one more."""
        return f"{self.experiment}-3"


@dataclass(frozen=True)
class Samples:
    """Indices in increasing order.

    Attributes:
        labeled: For `train`.
        unlabeled: For `infer`; others.
    """

    labeled: list[int]
    unlabeled: list[int]

    def grown(self) -> "Samples":
        """The same a loop later: with at most as many labels again."""
        more = self.unlabeled[::2][: len(self.labeled)]
        rest = sorted(set(self.unlabeled) - set(more))
        return Samples(sorted([*self.labeled, *more]), rest)


def trial_name(experiment: str) -> str:
    """The name that an experiment has while it is tried.

    Args:
        experiment: Its own.
    """
    room = LONGEST_NAME - len(f"{SUFFIX}-2")
    return f"{experiment[:room]}{SUFFIX}"


def made_up_labels(order: TrialOrder, labeled: list[int]) -> dict[str, Any] | None:
    """Labels as a platform hands them on, where nobody was asked yet.

    Args:
        order: Says the task and its classes.
        labeled: Samples.

    Returns:
        Each class in turn; None when the labels lie with the hooks.
    """
    if not order.needs_labels:
        return None
    if order.task == "regression":
        return {str(index): float(at) for at, index in enumerate(labeled)}
    classes: Sequence[str | int] = order.class_names or range(order.classes or 1)
    found = {str(index): classes[at % len(classes)] for at, index in enumerate(labeled)}
    is_many = order.task == "multi_label"
    return {index: [label] for index, label in found.items()} if is_many else found


def choose_samples(order: TrialOrder, pool: int, rng: random.Random) -> Samples:
    """A first batch of a size that is quickly trained on, and some others; spread over the pool.

    Args:
        order: Says the size of the first batch.
        pool: Number of samples, 1 or more.
        rng: Draws them.
    """
    most = max(MOST_LABELS, LABELS_PER_CLASS * (order.classes or 0))
    count = min(order.batch, most, pool)
    drawn = rng.sample(range(pool), min(pool, count + MOST_OTHERS))
    return Samples(sorted(drawn[:count]), sorted(drawn[count:]))
