"""The tables of an experiment, made from its document: the numbers are those of the JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from alectio_agent.core.csv_cells import defused, quoted
from alectio_agent.wire.experiment import METRIC_NAMES
from alectio_agent.wire.protocol import STEPS

Document = dict[str, Any]
Rows = Iterator[Sequence[Any]]

LOOPS_COLUMNS = (
    "loop",
    "labels",
    "batch",
    *METRIC_NAMES,
    *(f"{step}_s" for step in STEPS),
    "chosen_by",
    "agent",
    "attempt",
    "done_at",
)
PER_CLASS = ("precision", "recall", "f1", "support")
CLASSES_COLUMNS = ("loop", "labels", "class", "labelled", "predicted", *PER_CLASS)
SELECTED_COLUMNS = ("loop", "index", "name", "score", "reason", "label")


def loops_csv(document: Document) -> str:
    """The loops that are done.

    Args:
        document: As `read_document` makes it.

    Returns:
        CSV with a heading; what is not known is left empty.
    """
    return _csv(LOOPS_COLUMNS, _loop_rows(document))


def classes_csv(document: Document) -> str:
    """A row for each class in each loop that is done; see `loops_csv`."""
    return _csv(CLASSES_COLUMNS, _class_rows(document))


def selected_csv(document: Document) -> str:
    """A row for each sample that was chosen, also for the loop that runs; see `loops_csv`."""
    return _csv(SELECTED_COLUMNS, _selected_rows(document))


TABLES: dict[str, Callable[[Document], str]] = {
    "loops.csv": loops_csv,
    "classes.csv": classes_csv,
    "selected.csv": selected_csv,
}


def _loop_rows(document: Document) -> Rows:
    for loop in _done(document):
        counted: dict[str, Any] = next(
            (tried for tried in reversed(loop["attempts"]) if tried["counted"]), {}
        )
        metrics, seconds = loop["metrics"] or {}, loop["times"]["seconds"]
        yield (
            loop["loop"],
            loop["labels"],
            loop["batch"],
            *(metrics.get(name) for name in METRIC_NAMES),
            *(seconds.get(step) for step in STEPS),
            loop["chosen_by"],
            counted.get("agent"),
            counted.get("attempt"),
            loop["times"]["done_at"],
        )


def _class_rows(document: Document) -> Rows:
    classes = _class_names(document)
    for loop in _done(document):
        counts, judged = loop.get("class_counts") or {}, loop.get("per_class") or {}
        for column, name in enumerate(classes):
            yield (
                loop["loop"],
                loop["labels"],
                name,
                _at(counts.get("labelled"), column),
                _at(counts.get("predicted"), column),
                *(_at(judged.get(key), column) for key in PER_CLASS),
            )


def _selected_rows(document: Document) -> Rows:
    classes = _class_names(document)
    for loop in document["loops"]:
        told = loop.get("selection") or {}
        for place, index in enumerate(loop["selected"]):
            yield (
                loop["loop"],
                index,
                _at(loop.get("names"), place),
                _at(told.get("scores"), place),
                _at(told.get("reasons"), place),
                _named(_at(loop.get("batch_labels"), place), classes),
            )


def _done(document: Document) -> Iterator[Document]:
    return (loop for loop in document["loops"] if loop["state"] == "done")


def _class_names(document: Document) -> Sequence[str | int]:
    classes = document["settings"].get("classes") or 0
    return range(classes) if isinstance(classes, int) else classes


def _at(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and place < len(values) else None


def _named(label: Any, classes: Sequence[str | int]) -> Any:
    """The name of a class that is given by its column; other labels as they are."""
    is_column = isinstance(label, int) and not isinstance(label, bool)
    return classes[label] if is_column and 0 <= label < len(classes) else label


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [",".join(columns), *(",".join(map(_cell, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    """A value as JSON writes it, texts without their quotes."""
    if value is None:
        return ""
    if type(value) in (int, float):
        # As JSON writes it, which takes ten times as long; documents hold no NaN.
        return repr(value)
    if not isinstance(value, str):
        return quoted(json.dumps(value, sort_keys=True, ensure_ascii=False))
    return quoted(defused(value))
