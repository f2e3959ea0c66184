"""Whether two results of one hook agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alectio_agent.agent.hooks.trial.rows import Rows

TOLERANCE = 0.02
"""Of the largest number of a row. In half precision another size of batch changes scores by about
one percent; another sample's row, another model or dropout changes most rows by far more."""

FEW = 0.005
"""A part of the predictions this small may differ by rounding alone: a warning, no failure."""


@dataclass(frozen=True)
class Agreement:
    """Two results of `test`, compared.

    Attributes:
        count: Samples that either has.
        differing: Samples with another prediction, or with one in only one result.
        accuracies: Of both; None when the task has none.
    """

    count: int
    differing: list[int]
    accuracies: tuple[float, float] | None

    @property
    def is_full(self) -> bool:
        """Whether all agree."""
        return not self.differing

    @property
    def is_near(self) -> bool:
        """Whether so few differ that rounding may be the reason."""
        return len(self.differing) <= FEW * self.count

    def describe(self) -> str:
        """The difference in a few words."""
        told = f"{len(self.differing):,} of {self.count:,} predictions differ"
        if self.accuracies is None:
            return told
        first, second = (f"{accuracy:.2f}" for accuracy in self.accuracies)
        accuracies = f"accuracy {first}, then {second}"
        return f"{accuracies}; {told}" if first == second else accuracies


def compare_tests(first: Rows, second: Rows, classes: Sequence[str] | None, task: str) -> Agreement:
    """Compare predictions.

    Args:
        first: `[prediction, label]` by sample; what follows in an entry is not looked at.
        second: The same, of the other time.
        classes: Names, when the experiment has them.
        task: Of the experiment.
    """
    samples = sorted(first.keys() | second.keys())
    differing = [
        sample
        for sample in samples
        if sample not in first
        or sample not in second
        or not is_same(first[sample][0], second[sample][0])
    ]
    accuracies = None
    if task == "classification":
        accuracies = accuracy(first, classes), accuracy(second, classes)
    return Agreement(len(samples), differing, accuracies)


def accuracy(rows: Rows, classes: Sequence[str] | None) -> float:
    """The part of the samples whose prediction is right.

    Args:
        rows: `[prediction, label]` by sample, at least one.
        classes: Names, when the experiment has them: either side may use them.
    """
    numbers = {name: number for number, name in enumerate(classes or ())}
    right = [
        numbers.get(prediction, prediction) == numbers.get(label, label)
        for prediction, label, *_ in rows.values()
    ]
    return right.count(True) / len(right)


def differing_rows(first: Rows, second: Rows) -> list[int]:
    """Samples of both results whose rows are not the same.

    Args:
        first: Scores by sample.
        second: The same, of the other time.
    """
    both = sorted(first.keys() & second.keys())
    return [sample for sample in both if not is_same(first[sample], second[sample])]


def is_same(first: Any, second: Any) -> bool:
    """Whether two values are the same, up to rounding.

    Args:
        first: Numbers, texts, lists and dicts of them.
        second: Likewise.
    """
    left, right = _flat(first), _flat(second)
    if len(left) != len(right):
        return False
    sizes = [abs(part) for part in (*left, *right) if isinstance(part, float)]
    slack = TOLERANCE * max(sizes, default=0.0)
    return all(_is_near(one, other, slack) for one, other in zip(left, right, strict=True))


def _is_near(one: Any, other: Any, slack: float) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        try:
            return bool(abs(one - other) <= slack)
        except TypeError:
            return False
    return bool(one == other)


def _flat(value: Any) -> list[Any]:
    """The plain values inside, in a fixed order."""
    if isinstance(value, dict):
        return [part for key in sorted(value) for part in (key, *_flat(value[key]))]
    if isinstance(value, list | tuple):
        return [part for entry in value for part in _flat(entry)]
    return [value]
