"""Statements of the journal that several of its transactions are made of."""

from collections.abc import Callable

from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.core.sqlite import Row
from alectio_agent.wire.results import JobFailure

Run = Callable[..., list[Row]]

MOST_STEPS = 3
_NO_SAMPLES = ", ".join(
    f"'$.steps[{number}].payload.{name}', json('{nothing}')"
    for number in range(MOST_STEPS)
    for name, nothing in (("labeled", "[]"), ("labels", "null"), ("unlabeled", "[]"))
)
_COMPUTED = f"""
UPDATE jobs SET state = 'computed', claim = json_replace(claim, {_NO_SAMPLES})
WHERE lease = ? AND state = 'open'
"""  # noqa: S608 - made of constants
_COMMIT = """
INSERT OR IGNORE INTO messages (lease, kind, step, key, body, created_at, state, reason, ended_at)
SELECT lease, 'commit', :step, :key, :body, :now,
    CASE state WHEN 'closed' THEN 'superseded' ELSE 'pending' END,
    CASE state WHEN 'closed' THEN 'its attempt was over before it was there' ELSE '' END,
    CASE state WHEN 'closed' THEN :now END
FROM jobs WHERE lease = :lease
"""
_FAILURE = """
INSERT OR IGNORE INTO messages (lease, kind, step, key, body, state, created_at)
SELECT lease, 'fail', :step, :key, :body, 'pending', :now
FROM jobs WHERE lease = :lease AND state != 'closed'
"""


def count_claim(run: Run, boot: str, seq: int) -> None:
    """Remember the newest number of a claim in this boot; those of earlier boots are forgotten.

    Args:
        run: Runs a statement of the transaction.
        boot: Id of the boot.
        seq: Of the claim.
    """
    run("DELETE FROM counters WHERE boot != ?", (boot,))
    run(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (boot) DO UPDATE SET seq = excluded.seq",
        (boot, seq),
    )


def insert_commit(run: Run, manifest: Manifest, now: str) -> None:
    """Queue a result; one of an attempt that is closed already is kept as superseded.

    Args:
        run: Runs a statement of the transaction.
        manifest: Of the result.
        now: Timestamp of the row.
    """
    row = {"lease": manifest.lease, "step": manifest.step, "key": manifest.commit.key}
    run(_COMMIT, row | {"body": manifest.text, "now": now})


def insert_failure(run: Run, lease: str, failure: JobFailure, now: str) -> bool:
    """Queue a failure behind all that its attempt has queued.

    An attempt that is closed already has nothing more to say: its lease was lost, and it must not
    go out behind results that never arrived.

    Args:
        run: Runs a statement of the transaction.
        lease: Of the attempt, which runs no further step.
        failure: To be sent.
        now: Timestamp of the row.

    Returns:
        Whether it is queued, now or before.
    """
    row = {"lease": lease, "step": failure.step, "key": failure.key}
    run(_FAILURE, row | {"body": failure.model_dump_json(by_alias=True), "now": now})
    set_computed(run, lease)
    return bool(run("SELECT 1 FROM messages WHERE key = ?", (failure.key,)))


def set_computed(run: Run, lease: str) -> None:
    """An attempt has no step left to run, and needs no samples any more: there may be millions.

    Args:
        run: Runs a statement of the transaction.
        lease: Of the attempt.
    """
    run(_COMPUTED, (lease,))
