"""`agent.db`: claims, messages in the order in which they must be sent, process groups."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from alectio_agent.agent.journal.keeping import Keeping
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.rows import SCHEMA, SCHEMA_NUMBER, Group, Job, Message
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.sqlite import Database, Row
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure

MessageState = Literal["pending", "settled", "superseded", "parked"]
Outcome = Literal["delivered", "superseded", "failed", "parked"]


class Journal:
    """The agent's memory; what a method changed is durable when it returns, but for commits.

    Those are made from manifests, which are durable, and are found there again after a power cut.
    """

    def __init__(self, file: Path, clock: Clock) -> None:
        """Open or make the database.

        Args:
            file: `<state_dir>/agent.db`.
            clock: For the timestamps of rows.
        """
        self._clock = clock
        self._database = Database(file, SCHEMA, SCHEMA_NUMBER)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def last_seq(self, boot: str) -> int:
        """The newest claim number that was answered in this boot; 0 before the first."""
        rows = self._database.query("SELECT seq FROM counters WHERE boot = ?", (boot,))
        return int(rows[0]["seq"]) if rows else 0

    def put_claim(self, boot: str, seq: int, claim: Claim, platform_id: str) -> None:
        """Take a claim into the journal; from here on the job is this agent's to finish."""
        with self._database.transaction() as run:
            _count(run, boot, seq)
            run(
                "INSERT INTO jobs (lease, platform_id, job_id, job, claim, state, claimed_at) "
                "VALUES (?, ?, ?, ?, ?, 'open', ?)",
                (
                    claim.lease,
                    platform_id,
                    claim.job_id,
                    claim.job,
                    claim.model_dump_json(),
                    self._now(),
                ),
            )

    def skip_claim(self, boot: str, seq: int) -> None:
        """Count a claim that was refused."""
        with self._database.transaction() as run:
            _count(run, boot, seq)

    def leases(self) -> list[str]:
        """The leases of the jobs that are not closed, oldest first."""
        rows = self._database.query("SELECT lease FROM jobs WHERE state != 'closed' ORDER BY rowid")
        return [str(row["lease"]) for row in rows]

    def jobs(self, platform_id: str | None = None) -> list[Job]:
        """The jobs that are not closed, oldest first.

        Args:
            platform_id: Only those of this platform.

        Returns:
            Each with its claim, without samples where no step is left to do: after an outage there
            may be many, with millions of samples each.
        """
        jobs = list[Job]()
        for lease in self.leases():
            rows = self._database.query(
                "SELECT claim, platform_id, state FROM jobs "
                "WHERE lease = :lease AND state != 'closed' "
                "AND (:platform IS NULL OR platform_id = :platform)",
                {"lease": lease, "platform": platform_id},
            )
            jobs += map(_job, rows)
        return jobs

    def steps_done(self, lease: str) -> set[str]:
        """The steps of an attempt whose result is durable."""
        rows = self._database.query(
            "SELECT step FROM messages WHERE lease = ? AND kind = 'commit'", (lease,)
        )
        return {str(row["step"]) for row in rows}

    def put_commit(self, manifest: Manifest, *, is_last: bool) -> None:
        """Queue a complete result for delivery; again for the same key changes nothing.

        Args:
            manifest: Renamed into place already, and so durable: the row need not be.
            is_last: No further step of this attempt follows.
        """
        with self._database.transaction(is_synced=False) as run:
            run(
                "INSERT OR IGNORE INTO messages (lease, kind, step, key, body, state, created_at) "
                "VALUES (?, 'commit', ?, ?, ?, 'pending', ?)",
                (
                    manifest.lease,
                    manifest.step,
                    manifest.commit.key,
                    manifest.text,
                    self._now(),
                ),
            )
            if is_last:
                _set_computed(run, manifest.lease)

    def put_failure(self, lease: str, failure: JobFailure) -> None:
        """Queue a failure for delivery; no step of this attempt is run any more."""
        with self._database.transaction() as run:
            run(
                "INSERT OR IGNORE INTO messages (lease, kind, step, key, body, state, created_at) "
                "VALUES (?, 'fail', ?, ?, ?, 'pending', ?)",
                (
                    lease,
                    failure.step,
                    failure.key,
                    failure.model_dump_json(by_alias=True),
                    self._now(),
                ),
            )
            _set_computed(run, lease)

    def next_message(self, platform_id: str) -> Message | None:
        """The oldest message for this platform that was not settled yet."""
        rows = self._database.query(
            "SELECT messages.*, jobs.job_id, jobs.job, jobs.platform_id FROM messages "
            "JOIN jobs USING (lease) "
            "WHERE messages.state = 'pending' AND jobs.platform_id = ? "
            "ORDER BY messages.id LIMIT 1",
            (platform_id,),
        )
        return _message(rows[0]) if rows else None

    def pending_count(self) -> int:
        """Number of messages that were not settled yet, for any platform."""
        rows = self._database.query("SELECT count(*) AS n FROM messages WHERE state = 'pending'")
        return int(rows[0]["n"])

    def unsent(self) -> Unsent:
        """What was not settled yet."""
        return Unsent.of(self._database)

    def settle(self, message: Message) -> bool:
        """Record that the platform accepted a message.

        Returns:
            Whether the job is closed with it.
        """
        return self._end(message, "settled", "", "delivered")

    def park(self, message: Message, reason: str) -> bool:
        """Keep a message that the platform refused for good; returns as `settle`."""
        return self._end(message, "parked", reason, "parked")

    def supersede(self, lease: str, reason: str) -> None:
        """Close an attempt whose lease is lost; what was not delivered is kept as superseded."""
        with self._database.transaction() as run:
            run(
                "UPDATE messages SET state = 'superseded', reason = ?, ended_at = ? "
                "WHERE lease = ? AND state = 'pending'",
                (reason, self._now(), lease),
            )
            run(
                "UPDATE jobs SET state = 'closed', outcome = 'superseded' WHERE lease = ?", (lease,)
            )

    @property
    def keeping(self) -> Keeping:
        """What may go of the results, and what must stay."""
        return Keeping(self._database)

    def try_writing(self) -> None:
        """Write a page durably and change nothing.

        Raises:
            StoreUnavailableError: The disk does not take it.
        """
        with self._database.transaction() as run:
            run(f"PRAGMA user_version={SCHEMA_NUMBER}")

    def add(self, pgid: int, start_time: int, marker: str) -> None:
        """Remember a process group before user code runs in it."""
        with self._database.transaction() as run:
            run("INSERT OR REPLACE INTO groups VALUES (?, ?, ?)", (pgid, start_time, marker))

    def remove(self, pgid: int) -> None:
        """Forget a process group that has ended."""
        with self._database.transaction() as run:
            run("DELETE FROM groups WHERE pgid = ?", (pgid,))

    def groups(self) -> list[Group]:
        """The process groups that were not seen to end."""
        rows = self._database.query("SELECT * FROM groups")
        return [Group(row["pgid"], row["start_time"], row["marker"]) for row in rows]

    def _end(self, message: Message, state: MessageState, reason: str, outcome: Outcome) -> bool:
        with self._database.transaction() as run:
            run(
                "UPDATE messages SET state = ?, reason = ?, ended_at = ? WHERE id = ?",
                (state, reason, self._now(), message.id),
            )
            run(
                "UPDATE jobs SET state = 'closed', outcome = ? WHERE lease = ? "
                "AND state = 'computed' AND NOT EXISTS (SELECT 1 FROM messages "
                "WHERE messages.lease = jobs.lease AND messages.state = 'pending')",
                ("failed" if message.kind == "fail" else outcome, message.lease),
            )
            rows = run("SELECT state FROM jobs WHERE lease = ?", (message.lease,))
        return bool(rows) and rows[0]["state"] == "closed"

    def _now(self) -> str:
        return timestamp(self._clock.now())


def _count(run: Callable[..., list[Row]], boot: str, seq: int) -> None:
    run("DELETE FROM counters WHERE boot != ?", (boot,))
    run(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (boot) DO UPDATE SET seq = excluded.seq",
        (boot, seq),
    )


def _set_computed(run: Callable[..., list[Row]], lease: str) -> None:
    run("UPDATE jobs SET state = 'computed' WHERE lease = ? AND state = 'open'", (lease,))


def _job(row: Row) -> Job:
    claim = Claim.model_validate_json(row["claim"])
    is_open = row["state"] == "open"
    return Job(claim if is_open else claim.without_samples(), row["platform_id"], row["state"])


def _message(row: Row) -> Message:
    return Message(
        row["id"],
        row["lease"],
        row["job_id"],
        row["job"],
        row["platform_id"],
        row["kind"],
        row["step"],
        row["key"],
        row["body"],
    )
