"""What brings the tables of an older version up to date, one step per schema number."""

from sqlalchemy import Connection, update

from alectio_agent.hub.store.tables import meta

STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE experiments ADD COLUMN pool_pins TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE experiments ADD COLUMN series TEXT",
        "ALTER TABLE results ADD COLUMN provenance TEXT",
    ),
    3: (
        "ALTER TABLE agents ADD COLUMN slots INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE jobs ADD COLUMN asked_at TEXT",
        "ALTER TABLE jobs ADD COLUMN labels_upto INTEGER",
        "CREATE TABLE labels (position INTEGER NOT NULL PRIMARY KEY, "
        "experiment_id VARCHAR NOT NULL, sample INTEGER NOT NULL, value TEXT, annotator VARCHAR, "
        "seconds FLOAT, imported_at VARCHAR NOT NULL)",
        "CREATE INDEX labels_by_experiment ON labels (experiment_id, position)",
        "CREATE TABLE rewound_batches (position INTEGER NOT NULL PRIMARY KEY, "
        "experiment_id VARCHAR NOT NULL, indices BLOB NOT NULL)",
        "CREATE INDEX rewound_batches_by_experiment ON rewound_batches (experiment_id)",
    ),
}
"""Schema number to the statements that lead to it from the one before."""


def migrate(tx: Connection, found: int, wanted: int) -> None:
    """Run the steps between two schemas.

    Args:
        tx: A writing transaction: all steps, or none.
        found: What the tables have.
        wanted: What this version needs; higher.
    """
    for number in range(found + 1, wanted + 1):
        for statement in STEPS[number]:
            tx.exec_driver_sql(statement)
    tx.execute(update(meta).where(meta.c.key == "schema").values(value=str(wanted)))
