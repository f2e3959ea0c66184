"""Statements that are compiled once give and take what SQLAlchemy's own would."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.store.engines import open_engine, translated
from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import metadata, results, selections

BATCH = {
    "indices": b"\x01\x00\x00\x00", "count": 1, "chosen_by": "", "detail": "", "settings": "",
    "made_at": "",
}  # fmt: skip
BY_LOOP = select(selections.c.loop, selections.c.indices).where(
    selections.c.experiment_id == bindparam("of"), selections.c.loop != 7
)


@pytest.fixture
def tx() -> Iterator[Connection]:
    engine = open_engine(None, is_writer=True)
    with engine.connect() as connection, connection.begin():
        metadata.create_all(connection)
        for loop in (0, 7):
            row = {"experiment_id": "e", "loop": loop, **BATCH}
            connection.execute(insert(selections), row)
        yield connection
    engine.dispose()


def test_a_query_gives_rows_by_the_names_of_their_columns(tx: Connection) -> None:
    """What the statement fixes itself, here the loop, needs no parameter."""
    assert PreparedQuery(BY_LOOP).rows(tx, of="e") == [{"loop": 0, "indices": b"\x01\0\0\0"}]
    assert PreparedQuery(BY_LOOP).values(tx, of="e") == [0]


def test_a_row_that_is_not_there_is_none(tx: Connection) -> None:
    """Callers tell it from a row with empty columns."""
    assert PreparedQuery(BY_LOOP).row(tx, of="another") is None


def test_truth_is_no_number(tx: Connection) -> None:
    """The driver keeps 0 and 1; the wire would show them as such."""
    texts = dict.fromkeys(
        ("job_id", "train_lease", "media_type", "parts", "warnings", "started_at", "finished_at",
         "received_at"), "",
    )  # fmt: skip
    row = {"lease": "l", "step": "test", "is_counted": True, "owes_metrics": False, **texts}
    PreparedChange(insert(results)).run(tx, **row, rows=0, duration_s=0.5)
    found = PreparedQuery(select(results.c.is_counted, results.c.owes_metrics)).rows(tx)
    assert found[0]["is_counted"] is True
    assert found[0]["owes_metrics"] is False


def test_a_change_writes_just_the_columns_of_each_call(tx: Connection) -> None:
    """One statement serves all callers, whatever they change."""
    change = PreparedChange(update(selections).where(selections.c.loop == bindparam("of")))
    assert change.run(tx, of=0, chosen_by="margin") == 1
    assert change.run(tx, of=0, count=2, detail="{}") == 1
    assert change.run(tx, of=5, count=3) == 0
    row = tx.execute(select(selections).where(selections.c.loop == 0)).one()
    assert (row.chosen_by, row.count, row.detail) == ("margin", 2, "{}")


def test_what_the_driver_refuses_is_an_error_of_the_store(tx: Connection) -> None:
    """A row that is there twice must not leave as an exception of the library."""
    change = PreparedChange(insert(selections))
    with pytest.raises(StoreError), translated("hub.db"):
        change.run(tx, experiment_id="e", loop=0, **BATCH)
