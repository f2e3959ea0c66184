"""Cheap looks: a version without the loops."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert

from alectio_agent.hub.experiments.versions import version_of
from alectio_agent.hub.store.tables import experiments
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


@pytest.fixture
def store() -> Iterator[InlineStore]:
    opened = InlineStore()
    for name, version in (("main", 5), ("control", 2)):
        row = {**EXPERIMENT, "experiment_id": name, "name": name, "version": version}
        opened.write(lambda tx, row=row: tx.execute(insert(experiments).values(row))).result()
    yield opened
    opened.close()


def test_the_version_is_read_by_name(store: InlineStore) -> None:
    assert store.read(lambda tx: version_of(tx, "main")).result() == 5
    assert store.read(lambda tx: version_of(tx, "nope")).result() is None
