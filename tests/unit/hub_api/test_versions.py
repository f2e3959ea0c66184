"""Cheap looks: a version without the loops, and whether waiting agents should look again."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, update

from alectio_agent.hub.experiments.versions import job_mark, version_of
from alectio_agent.hub.store.tables import experiments, jobs
from tests.support.hub_fakes import InlineStore

EXPERIMENT: dict[str, Any] = {
    "settings": "{}",
    "state": "running",
    "reason": "",
    "priority": 0,
    "is_over": False,
    "ending": "",
    "created_at": "",
}
JOB: dict[str, Any] = {
    "experiment_id": "main",
    "loop": 0,
    "state": "available",
    "labelled": 3,
    "has_infer": True,
    "attempt": 0,
    "fresh_attempt": 0,
    "is_from_scratch": False,
    "problem": "",
    "available_at": "",
}


@pytest.fixture
def store() -> Iterator[InlineStore]:
    opened = InlineStore()
    for name, version in (("main", 5), ("control", 2)):
        row = {**EXPERIMENT, "experiment_id": name, "name": name, "version": version}
        opened.write(lambda tx, row=row: tx.execute(insert(experiments).values(row))).result()
    opened.write(lambda tx: tx.execute(insert(jobs).values({**JOB, "job_id": "j"}))).result()
    yield opened
    opened.close()


def mark(store: InlineStore) -> int | None:
    found: int | None = store.read(job_mark).result()
    return found


def test_the_version_is_read_by_name(store: InlineStore) -> None:
    assert store.read(lambda tx: version_of(tx, "main")).result() == 5
    assert store.read(lambda tx: version_of(tx, "nope")).result() is None


def test_without_an_available_job_there_is_no_mark(store: InlineStore) -> None:
    store.write(lambda tx: tx.execute(update(jobs).values(state="running"))).result()
    assert mark(store) is None


def test_the_mark_moves_with_any_experiment(store: InlineStore) -> None:
    """A control's job may be had once its main experiment has ended, though the job stays."""
    before = mark(store)
    ended = update(experiments).where(experiments.c.name == "control").values(version=3)
    store.write(lambda tx: tx.execute(ended)).result()
    assert before is not None
    assert mark(store) == before + 1
