"""Counts labels that are too many to travel one by one."""

from __future__ import annotations

from typing import Any, Optional

from alectio_agent.agent.hooks.child.results import Asked


def count_labels(labels: Any, asked: Asked) -> Optional[dict[str, int]]:
    """How many labels there are of each class.

    Args:
        labels: Plain: a list, or `{index: label}`.
        asked: By the experiment.

    Returns:
        Column to count, columns as texts in increasing order; None for tasks without one class a
        sample, and when a label is no class of the experiment.
    """
    if asked.task != "classification" or asked.classes is None:
        return None
    # Names become columns here: the text "3" in a message could be a name or a number.
    columns = {name: column for column, name in enumerate(asked.class_names or [])}
    counts = [0] * asked.classes
    for label in labels.values() if isinstance(labels, dict) else labels:
        column = columns.get(label) if isinstance(label, str) else _whole(label)
        if column is None or not 0 <= column < asked.classes:
            return None
        counts[column] += 1
    return {str(column): count for column, count in enumerate(counts) if count}


def _whole(label: Any) -> Optional[int]:
    if isinstance(label, (bool, int)):
        return int(label)
    return int(label) if isinstance(label, float) and label.is_integer() else None
