"""Which class each labelled sample has, as far as that left the site."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from alectio_agent.wire.experiment import ExperimentSettings


def labels_of(trained: Row[Any] | None, labelled: Sequence[int]) -> dict[int, Any] | None:
    """The labels that `train` returned.

    Args:
        trained: Row of the counted train; None before there is one.
        labelled: What it was given, increasing: a bare list of labels is in that order.

    Returns:
        Sample to label; None when `train` returned none, or they did not leave the site.
    """
    if trained is None or trained.inline is None:
        return None
    found = json.loads(trained.inline).get("labels")
    if isinstance(found, dict):
        return {int(index): label for index, label in found.items()}
    if isinstance(found, list) and len(found) == len(labelled):
        return dict(zip(labelled, found, strict=True))
    return None


def told_counts(trained: Row[Any] | None, settings: ExperimentSettings) -> list[int] | None:
    """How many samples each class has, of labels that were too many to be sent.

    Args:
        trained: Row of the counted train; None before there is one.
        settings: Of the experiment.

    Returns:
        In column order; None when the agent sent no counts.
    """
    if trained is None or trained.inline is None or settings.class_count is None:
        return None
    found = json.loads(trained.inline).get("label_counts")
    if not isinstance(found, dict):
        return None
    return [_count(found.get(str(column))) for column in range(settings.class_count)]


class ClassTally:
    """How many samples each class has, as labels come and go."""

    def __init__(self, settings: ExperimentSettings) -> None:
        """Begin with none.

        Args:
            settings: Of the experiment.
        """
        self._columns = {name: column for column, name in enumerate(settings.class_names or [])}
        has_one_class = settings.task == "classification" and settings.class_count is not None
        self._counts = [0] * (settings.class_count or 0) if has_one_class else None

    def add(self, label: Any, by: int = 1) -> None:
        """Count a label.

        Args:
            label: A column, or the name of a class.
            by: -1 when it is taken away.
        """
        if self._counts is None:
            return
        column = self._columns.get(label) if isinstance(label, str) else label
        # Whole floats and bools are columns, as in what `test` returns.
        if isinstance(column, int | float) and column in range(len(self._counts)):
            self._counts[int(column)] += by

    def counts(self) -> list[int] | None:
        """In column order; None for tasks without one class a sample."""
        return None if self._counts is None else list(self._counts)


def count_classes(
    known: Mapping[int, Any] | None, settings: ExperimentSettings
) -> list[int] | None:
    """How many samples each class has.

    Args:
        known: Sample to label: a column, or the name of a class.
        settings: Of the experiment.

    Returns:
        In column order; None for tasks without one class a sample, or when nothing is known.
    """
    if known is None:
        return None
    tally = ClassTally(settings)
    for label in known.values():
        tally.add(label)
    return tally.counts()


def _count(found: Any) -> int:
    return found if isinstance(found, int) else 0
