"""What people said, loop by loop: each label is looked at once, however many loops train on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from alectio_agent.hub.experiments.class_labels import ClassTally
from alectio_agent.hub.experiments.labels import StoredLabel
from alectio_agent.wire.experiment import ExperimentSettings


@dataclass(frozen=True)
class Chapter:
    """The labels that a loop trains on, as far as they are told.

    Attributes:
        batch: Label of each sample of its batch; None for one without.
        counts: How many of all samples each class has, in column order; None for tasks without
            one class a sample.
        changes: Sample and label of what changed since the loop before: new labels, corrections;
            None for one taken away. Samples increase.
    """

    batch: list[Any]
    counts: list[int] | None
    changes: list[list[Any]]


class LabelStory:
    """Goes through the loops in their order."""

    def __init__(self, settings: ExperimentSettings, told: Sequence[StoredLabel]) -> None:
        """Begin before loop 0.

        Args:
            settings: Of the experiment.
            told: All that people said, oldest first.
        """
        self._told = told
        self._read = 0
        self._said: dict[int, Any] = {}
        self._counted: dict[int, Any] = {}
        self._chosen = set[int]()
        self._tally = ClassTally(settings)

    def go_on(self, batch: Sequence[int], upto: int | None) -> Chapter:
        """Come to the next loop.

        Args:
            batch: Its samples.
            upto: Labels up to this position count, at least those of the loop before; None while
                it waits for labels: all that are there.
        """
        touched = self._hear(upto)
        self._chosen.update(batch)
        touched.update(batch)
        changes = [
            [sample, self._said.get(sample)]
            for sample in sorted(touched)
            if self._counted.get(sample) != self._said.get(sample)
        ]
        self._count(changes)
        return Chapter([self._said.get(at) for at in batch], self._tally.counts(), changes)

    def _hear(self, upto: int | None) -> set[int]:
        """Read on; gives the samples of earlier batches that something was said of."""
        touched = set[int]()
        while self._read < len(self._told):
            row = self._told[self._read]
            if upto is not None and row.position > upto:
                break
            self._said[row.sample] = row.value
            self._read += 1
            if row.sample in self._chosen:
                touched.add(row.sample)
        return touched

    def _count(self, changes: Iterable[Sequence[Any]]) -> None:
        for sample, label in changes:
            before = self._counted.pop(sample, None)
            if before is not None:
                self._tally.add(before, -1)
            if label is not None:
                self._counted[sample] = label
                self._tally.add(label)
