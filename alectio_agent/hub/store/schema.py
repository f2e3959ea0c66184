"""Makes the tables of a new database, or brings an older one's up to date."""

from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select

from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import StoreVersionError
from alectio_agent.core.ids import new_id
from alectio_agent.core.sqlite import copy_aside
from alectio_agent.hub.store.migrations import migrate
from alectio_agent.hub.store.tables import SCHEMA, meta, metadata


def prepare(tx: Connection, clock: Clock, path: Path) -> None:
    """Make the tables when there are none; an older schema is copied aside, then migrated.

    Args:
        tx: A writing transaction.
        clock: For the time of making.
        path: The database.

    Raises:
        StoreVersionError: The tables have a newer schema.
    """
    if not inspect(tx).has_table(meta.name):
        metadata.create_all(tx)
        made = {
            "schema": str(SCHEMA),
            "platform_id": new_id(),
            "created_at": timestamp(clock.now()),
        }
        tx.execute(insert(meta), [{"key": key, "value": made[key]} for key in made])
        return
    found = int(meta_value(tx, "schema"))
    if found > SCHEMA:
        raise StoreVersionError(
            f"{path}: schema {found} is newer than this version's {SCHEMA}",
            hint="Install that version again, or start with another folder.",
        )
    if found < SCHEMA:
        copy_aside(path, path.with_name(f"{path.name}.schema-{found}"))
        migrate(tx, found, SCHEMA)


def meta_value(tx: Connection, key: str) -> str:
    """One of the facts about the database itself.

    Args:
        tx: Any transaction.
        key: `schema`, `platform_id` or `created_at`.

    Returns:
        Its value.
    """
    return str(tx.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one())
