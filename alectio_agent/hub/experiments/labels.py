"""Labels that people gave, as rows: every one is kept, the newest of a sample counts."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from alectio_agent.hub.experiments.indices import chosen_up_to, unpack
from alectio_agent.hub.experiments.records import Experiment
from alectio_agent.hub.store.tables import labels, rewound_batches, selections


class NewLabel(NamedTuple):
    """What somebody said of a sample, as a row to be added; the fields are its columns."""

    experiment_id: str
    sample: int
    value: str | None
    annotator: str | None
    seconds: float | None
    imported_at: str


_ROWS = (
    select(labels.c.position, labels.c.sample, labels.c.value, labels.c.annotator, labels.c.seconds)
    .where(labels.c.experiment_id == bindparam("of"))
    .order_by(labels.c.position)
)
_STATES = (
    select(labels.c.sample, labels.c.value.is_not(None).label("is_label"))
    .where(labels.c.experiment_id == bindparam("of"))
    .order_by(labels.c.position)
)
_EXCLUSIONS = (
    select(labels.c.sample)
    .where(labels.c.experiment_id == bindparam("of"), labels.c.value.is_(None))
    .limit(1)
)
_NEWEST = select(func.max(labels.c.position)).where(labels.c.experiment_id == bindparam("of"))
_BATCHES = select(selections.c.indices).where(selections.c.experiment_id == bindparam("of"))
_REWOUND = select(rewound_batches.c.indices).where(
    rewound_batches.c.experiment_id == bindparam("of")
)
_REMEMBER = insert(rewound_batches)
_INSERT = (
    f"INSERT INTO labels ({', '.join(NewLabel._fields)}) "  # noqa: S608 - names of our own
    f"VALUES ({', '.join('?' * len(NewLabel._fields))})"
)


class StoredLabel(NamedTuple):
    """What somebody said of a sample; there may be a hundred thousand, so that it is kept small.

    Attributes:
        value: A label as plain JSON; None: the sample is excluded, it cannot be labelled.
        annotator: Who said it; None when that was not told.
        seconds: How long it took.
    """

    position: int
    sample: int
    value: Any
    annotator: str | None
    seconds: float | None


def all_labels(tx: Connection, experiment: Experiment) -> list[StoredLabel]:
    """Everything that people said about an experiment's samples.

    Args:
        tx: Any transaction.
        experiment: Any.

    Returns:
        Oldest first; empty without a look when nobody is asked.
    """
    if not experiment.settings.labels.are_asked_for:
        return []
    rows = tx.execute(_ROWS, {"of": experiment.experiment_id}).fetchall()
    # Most labels are one of a few classes: each text is read once.
    values = {text: None if text is None else json.loads(text) for text in {row[2] for row in rows}}
    return [
        StoredLabel(position, sample, values[text], annotator, seconds)
        for position, sample, text, annotator, seconds in rows
    ]


def newest_of(rows: Iterable[StoredLabel], upto: int | None = None) -> dict[int, StoredLabel]:
    """What counts of each sample.

    Args:
        rows: Oldest first.
        upto: Rows above this position came too late; None takes all.

    Returns:
        Sample to its newest row.
    """
    return {row.sample: row for row in rows if upto is None or row.position <= upto}


def labels_of_loop(
    tx: Connection,
    experiment: Experiment,
    loop: int,
    upto: int | None,
    rows: Sequence[StoredLabel] | None = None,
) -> dict[int, Any] | None:
    """The labels that a loop trains on, the same at each attempt.

    Args:
        tx: Any transaction.
        experiment: Any.
        loop: From 0.
        upto: `labels_upto` of its job; None while it waits for labels: those that are there now.
        rows: All labels of the experiment, when they are at hand.

    Returns:
        Sample to label, samples increasing; None when nobody is asked for labels.
    """
    if not experiment.settings.labels.are_asked_for:
        return None
    known = newest_of(all_labels(tx, experiment) if rows is None else rows, upto)
    return {
        sample: known[sample].value
        for sample in chosen_up_to(tx, experiment.experiment_id, loop)
        if sample in known and known[sample].value is not None
    }


def label_states(tx: Connection, experiment_id: str) -> dict[int, bool]:
    """Which samples came back.

    Args:
        tx: Any transaction.
        experiment_id: Whose.

    Returns:
        Sample to whether it has a label; one that is excluded has none.
    """
    rows = tx.execute(_STATES, {"of": experiment_id}).fetchall()
    return {sample: bool(is_label) for sample, is_label in rows}


def has_exclusions(tx: Connection, experiment_id: str) -> bool:
    """Whether a sample was ever excluded, without reading all labels.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
    """
    return tx.execute(_EXCLUSIONS, {"of": experiment_id}).first() is not None


def excluded_samples(tx: Connection, experiment_id: str) -> set[int]:
    """The samples that cannot be labelled, also those of loops that were rewound.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
    """
    if not has_exclusions(tx, experiment_id):
        return set()
    states = label_states(tx, experiment_id)
    return {sample for sample, is_label in states.items() if not is_label}


def asked_samples(tx: Connection, experiment_id: str) -> set[int]:
    """Every sample that people were ever asked for, also those of loops that were rewound.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
    """
    found = set[int]()
    for statement in (_BATCHES, _REWOUND):
        for blob in tx.execute(statement, {"of": experiment_id}).scalars():
            found.update(unpack(blob))
    return found


def keep_asked(tx: Connection, experiment_id: str, first: int) -> None:
    """Remember batches that are rewound: people may have labelled them already.

    Args:
        tx: A writing transaction.
        experiment_id: Whose; it asks people.
        first: Loops from here on are rewound.
    """
    batches = _BATCHES.where(selections.c.loop >= first)
    for blob in tx.execute(batches, {"of": experiment_id}).scalars().all():
        tx.execute(_REMEMBER, {"experiment_id": experiment_id, "indices": blob})


def forget_labels(tx: Connection, experiment_id: str) -> int:
    """Drop all labels: samples or classes are others now.

    Args:
        tx: A writing transaction.
        experiment_id: Whose; no loop of it is left.

    Returns:
        How many there were, corrections too.
    """
    tx.execute(delete(rewound_batches).where(rewound_batches.c.experiment_id == experiment_id))
    return tx.execute(delete(labels).where(labels.c.experiment_id == experiment_id)).rowcount


def newest_position(tx: Connection, experiment_id: str) -> int:
    """Position of the newest label of an experiment; 0 without any.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
    """
    return tx.execute(_NEWEST, {"of": experiment_id}).scalar() or 0


def add_labels(tx: Connection, rows: Sequence[NewLabel]) -> None:
    """Keep what people said.

    Args:
        tx: A writing transaction.
        rows: The last of a sample counts.
    """
    # Not by a statement of SQLAlchemy, which takes three times as long to make its parameters.
    if rows:
        tx.exec_driver_sql(_INSERT, list(rows))
