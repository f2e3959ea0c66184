"""`agent.db`: claims, messages in the order in which they must be sent, process groups."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from alectio_agent.agent.journal.by_hand import ByHand
from alectio_agent.agent.journal.keeping import Keeping
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.restoring import FoundAttempt, put_attempt
from alectio_agent.agent.journal.rows import (
    MIGRATIONS,
    SCHEMA,
    SCHEMA_NUMBER,
    Group,
    Job,
    Message,
)
from alectio_agent.agent.journal.statements import (
    count_claim,
    insert_commit,
    insert_failure,
    set_computed,
)
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.sqlite import Database
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure

MessageState = Literal["pending", "settled", "superseded", "parked"]
Outcome = Literal["delivered", "superseded", "failed", "parked"]


class Journal:
    """The agent's memory; what a method changed is durable when it returns, but for commits.

    Those are made from manifests, which are durable, and are found there again after a power cut.
    """

    def __init__(
        self,
        file: Path,
        clock: Clock,
        open_database: Callable[..., Database] = Database,
    ) -> None:
        """Open or make the database.

        Args:
            file: `<state_dir>/agent.db`.
            clock: For the timestamps of rows.
            open_database: Opens it, with the arguments of `Database`; given so that a test can lose
                what was not synced.
        """
        self._clock = clock
        self._database = open_database(file, SCHEMA, SCHEMA_NUMBER, migrations=MIGRATIONS)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def knows(self, lease: str) -> bool:
        """Whether a claim with this lease was ever journalled."""
        return bool(self._database.query("SELECT 1 FROM jobs WHERE lease = ?", (lease,)))

    def manifest_text(self, lease: str, step: str) -> str | None:
        """The manifest of a result as it was queued; None when it was not."""
        rows = self._database.query(
            "SELECT body FROM messages WHERE lease = ? AND step = ? AND kind = 'commit' "
            "AND body != ''",  # of one whose files are gone
            (lease, step),
        )
        return str(rows[0]["body"]) if rows else None

    def restore(self, found: FoundAttempt) -> None:
        """Take an attempt in again that this journal does not know."""
        put_attempt(self._database, found, self._now())

    def last_seq(self, boot: str) -> int:
        """The newest claim number that was answered in this boot; 0 before the first."""
        rows = self._database.query("SELECT seq FROM counters WHERE boot = ?", (boot,))
        return int(rows[0]["seq"]) if rows else 0

    def put_claim(self, boot: str, seq: int, claim: Claim, platform_id: str) -> None:
        """Take a claim into the journal; from here on the job is this agent's to finish."""
        with self._database.transaction() as run:
            count_claim(run, boot, seq)
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
            count_claim(run, boot, seq)

    def leases(self) -> list[str]:
        """The leases of the jobs that are not closed, oldest first."""
        rows = self._database.query("SELECT lease FROM jobs WHERE state != 'closed' ORDER BY rowid")
        return [str(row["lease"]) for row in rows]

    def job_names(self) -> dict[str, str]:
        """What people call the jobs that are not closed, by what the platform calls them."""
        rows = self._database.query("SELECT job_id, job FROM jobs WHERE state != 'closed'")
        return {row["job_id"]: row["job"] for row in rows}

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
            jobs += map(Job.of, rows)
        return jobs

    def steps_done(self, lease: str) -> set[str]:
        """The steps of an attempt whose result is durable."""
        rows = self._database.query(
            "SELECT step FROM messages WHERE lease = ? AND kind = 'commit'", (lease,)
        )
        return {str(row["step"]) for row in rows}

    def put_commit(self, manifest: Manifest, *, is_last: bool) -> None:
        """Queue a complete result for delivery; again for the same key changes nothing.

        One of an attempt that was closed meanwhile is kept as superseded: its lease is lost.

        Args:
            manifest: Renamed into place already, and so durable: the row need not be.
            is_last: No further step of this attempt follows.
        """
        with self._database.transaction(is_synced=False) as run:
            insert_commit(run, manifest, self._now())
            if is_last:
                set_computed(run, manifest.lease)

    def put_failure(self, lease: str, failure: JobFailure) -> bool:
        """Queue a failure for delivery; no step of this attempt is run any more.

        Returns:
            Whether it is queued; False for an attempt that was closed meanwhile: its lease is lost,
            and its failure nobody's concern.
        """
        with self._database.transaction() as run:
            return insert_failure(run, lease, failure, self._now())

    def next_message(self, platform_id: str) -> Message | None:
        """The oldest message for this platform that was not settled yet."""
        rows = self._database.query(
            "SELECT messages.*, jobs.job_id, jobs.job, jobs.platform_id FROM messages "
            "JOIN jobs USING (lease) "
            "WHERE messages.state = 'pending' AND jobs.platform_id = ? "
            "ORDER BY messages.id LIMIT 1",
            (platform_id,),
        )
        return Message.of(rows[0]) if rows else None

    def results_pending(self, lease: str) -> int:
        """Number of results of an attempt that were not settled yet."""
        rows = self._database.query(
            "SELECT count(*) AS n FROM messages "
            "WHERE lease = ? AND kind = 'commit' AND state = 'pending'",
            (lease,),
        )
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

    def reject(self, message: Message, reason: str, failure: JobFailure) -> None:
        """Park a result that the platform refused for good, and fail its job in its place.

        What its attempt would send behind it can only be refused as well: it is parked with it.

        Args:
            message: A commit.
            reason: As the platform gave it.
            failure: Goes out next for this attempt.
        """
        behind = f"not sent: the result of {message.step} before it was refused"
        with self._database.transaction() as run:
            run(
                "UPDATE messages SET state = CASE kind WHEN 'fail' THEN 'superseded' ELSE 'parked' "
                "END, reason = CASE id WHEN ? THEN ? ELSE ? END, ended_at = ? "
                "WHERE lease = ? AND state = 'pending'",
                (message.id, reason, behind, self._now(), message.lease),
            )
            insert_failure(run, message.lease, failure, self._now())

    def supersede(self, lease: str, reason: str) -> None:
        """Close an attempt whose lease is lost; what was not delivered is kept as superseded."""
        with self._database.transaction() as run:
            run(
                "UPDATE messages SET state = 'superseded', reason = ?, ended_at = ? "
                "WHERE lease = ? AND state = 'pending'",
                (reason, self._now(), lease),
            )
            set_computed(run, lease)
            run(
                "UPDATE jobs SET state = 'closed', outcome = 'superseded' WHERE lease = ?", (lease,)
            )

    def newest_moment(self) -> datetime | None:
        """The latest time that a message was queued or ended; None without any."""
        rows = self._database.query(
            "SELECT max(coalesce(ended_at, created_at)) AS at FROM messages"
        )
        return datetime.fromisoformat(rows[0]["at"]) if rows[0]["at"] else None

    def foreign_count(self, platform_id: str) -> int:
        """Number of jobs that are not closed and belong to another platform."""
        rows = self._database.query(
            "SELECT count(*) AS n FROM jobs WHERE state != 'closed' AND platform_id != ?",
            (platform_id,),
        )
        return int(rows[0]["n"])

    @property
    def keeping(self) -> Keeping:
        """What may go of the results, and what must stay."""
        return Keeping(self._database)

    @property
    def by_hand(self) -> ByHand:
        """What people do with the outbox."""
        return ByHand(self._database)

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
