"""Statements of the journal that several of its transactions are made of."""

from collections.abc import Callable

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


def insert_failure(run: Run, lease: str, failure: JobFailure, now: str) -> None:
    """Queue a failure behind all that its attempt has queued.

    Args:
        run: Runs a statement of the transaction.
        lease: Of the attempt, which runs no further step.
        failure: To be sent.
        now: Timestamp of the row.
    """
    body = failure.model_dump_json(by_alias=True)
    run(
        "INSERT OR IGNORE INTO messages (lease, kind, step, key, body, state, created_at) "
        "VALUES (?, 'fail', ?, ?, ?, 'pending', ?)",
        (lease, failure.step, failure.key, body, now),
    )
    set_computed(run, lease)


def set_computed(run: Run, lease: str) -> None:
    """An attempt has no step left to run, and needs no samples any more: there may be millions.

    Args:
        run: Runs a statement of the transaction.
        lease: Of the attempt.
    """
    run(_COMPUTED, (lease,))
