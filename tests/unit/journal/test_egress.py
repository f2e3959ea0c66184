"""The record of what left: durable before anything leaves, append-only, and whole or named."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.journal.egress import UNCLOSED, EgressRecord
from alectio_agent.agent.journal.egress_reading import Entry, Verdict, reading_egress
from alectio_agent.agent.journal.egress_rows import COLUMNS
from alectio_agent.agent.journal.outgoing import About, Way
from alectio_agent.core.errors import StoreFullError, StoreVersionError
from tests.support.clocks import FakeClock

WAY = Way("https://hub.example:443", "http://proxy.example:3128")
COMMIT = About("commit", "job-1", "train", ("key", "rows"), samples=3)
DAY_S = 86400.0


class Bench:
    """A record in a folder of its own, and all of its lives."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.clock = folder, folder / "egress.db", FakeClock()
        self.rows: list[tuple[str, str]] = []
        self.lives = 0
        self.start()

    def start(self, keep_s: float = 100 * DAY_S) -> EgressRecord:
        self.lives += 1
        self.record = EgressRecord(
            self.folder, self.clock, keep_s, f"boot {self.lives}",
            lambda row, digest: self.rows.append((row.kind, digest.hex())),
        )  # fmt: skip
        return self.record

    def send(self, about: About = COMMIT, outcome: str | None = "200") -> int:
        row = self.record.begin(about, WAY, 10, "ab" * 32)
        if outcome is not None:
            self.record.end(row, outcome)
        return row

    def keep(self) -> None:
        self.record.keep(self.clock.now())

    def entries(self, **asked: str) -> list[Entry]:
        with reading_egress(self.folder) as reader:
            return list(reader.entries(**asked))

    def kinds(self) -> list[str]:
        return [entry.row.kind for entry in self.entries()]

    def verdict(self) -> Verdict:
        with reading_egress(self.folder) as reader:
            return reader.verify()

    def change(self, sql: str, *values: Any) -> list[Any]:
        """As somebody does who has the file."""
        connection = sqlite3.connect(self.file, isolation_level=None)
        found = connection.execute(sql, values).fetchall()
        connection.close()
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.record.close()


def test_a_call_is_written_down_with_where_what_and_how_it_ended(bench: Bench) -> None:
    bench.record.know("job-1", "digits/3")
    bench.send()
    row = bench.entries()[-1].row
    assert (row.kind, row.target, row.via, row.call) == ("call", WAY.target, WAY.via, "commit")
    assert (row.job, row.step, row.size_bytes, row.samples) == ("digits/3", "train", 10, 3)
    assert (row.sha256, row.fields) == ("ab" * 32, "key rows")
    assert bench.entries()[-1].outcome == "200"
    assert bench.file.stat().st_mode & 0o777 == 0o600


def test_a_row_survives_a_kill_right_before_its_call(tmp_path: Path) -> None:
    """Nothing leaves unrecorded; whether it left nobody can say, so no outcome stands there."""
    program = (
        "import os, pathlib, sys\n"
        "from alectio_agent.agent.journal.egress import EgressRecord\n"
        "from alectio_agent.agent.journal.outgoing import About, Way\n"
        "from alectio_agent.core.clock import SystemClock\n"
        "record = EgressRecord(pathlib.Path(sys.argv[1]), SystemClock(), 1e6, 'boot 1')\n"
        "record.begin(About('commit'), Way('https://hub.example:443'), 10, 'ab')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert ended.returncode == -9
    bench = Bench(tmp_path)
    assert bench.kinds() == ["start", "call", "start"]
    assert bench.entries()[1].outcome is None
    assert bench.entries()[2].row.text == f"boot 1; {UNCLOSED}"
    assert bench.verdict().broken is None
    bench.record.close()


def test_polls_and_beats_are_counted_by_the_hour(bench: Bench) -> None:
    for _ in range(3):
        bench.send(About("poll", fields=("seq",)))
    bench.send(About("beat", "job-1", fields=("state",)))
    bench.keep()
    assert bench.kinds() == ["start"], "the hour is not over"
    with reading_egress(bench.folder) as reader:
        assert [(row["call"], row["calls"]) for row in reader.counting()] == [
            ("beat", 1), ("poll", 3),
        ]  # fmt: skip
    bench.send(About("poll", fields=("free",)))
    bench.clock.advance(3600)
    bench.keep()
    beats, polls = bench.entries()[1:]
    assert (polls.row.call, polls.row.samples, polls.row.size_bytes) == ("poll", 4, 40)
    assert (polls.row.fields, polls.row.text) == ("free seq", "2026-01-01T00:00:00Z")
    assert (beats.row.call, beats.row.samples) == ("beat", 1)


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_was_counted_is_written_down_at_the_end_or_at_the_next_start(
    bench: Bench, is_killed: bool
) -> None:
    bench.send(About("poll"))
    bench.keep()
    bench.send(About("poll"))
    if is_killed:
        bench.record._database.close()
    else:
        bench.record.close()
    bench.start()
    counted = [entry.row.samples for entry in bench.entries() if entry.row.kind == "count"]
    assert counted == [1 if is_killed else 2], "a kill costs the last minute at most"


@pytest.mark.parametrize(
    ("sql", "row", "why"),
    [
        ("UPDATE kept SET size_bytes = 1 WHERE id = 4", 4, "it is not what was written"),
        ("UPDATE kept SET fields = target WHERE id = 2", 2, "it is not what was written"),
        ("UPDATE kept SET hash = zeroblob(32) WHERE id = 3", 3, "it is not what was written"),
        ("DELETE FROM kept WHERE id = 4", 4, "it is gone"),
        ("DELETE FROM kept WHERE id < 3", 3, "rows before it are gone"),
        ("DELETE FROM kept", 1, "there is no row"),
    ],
)
def test_a_change_is_found_and_named(bench: Bench, sql: str, row: int, why: str) -> None:
    bench.send()
    bench.send()
    assert bench.verdict().broken is None
    assert bench.verdict().digest == bench.rows[-1][1]
    bench.change(sql)
    found = bench.verdict()
    assert found.broken == row
    assert found.why.startswith(why)


def test_a_changed_row_stays_named_whatever_is_written_behind_it(bench: Bench) -> None:
    bench.send()
    bench.change("UPDATE kept SET job = 'other/1' WHERE id = 2")
    bench.record.close()
    bench.start()
    bench.send()
    assert bench.verdict().broken == 2


class TestPruning:
    def test_old_rows_go_and_the_rest_can_be_verified(self, bench: Bench) -> None:
        bench.record.close()
        record = bench.start(keep_s=2 * DAY_S)
        bench.send()
        bench.clock.advance(3.5 * DAY_S)
        bench.send()
        record.keep(bench.clock.now())
        assert bench.kinds() == ["call", "pruned"]
        assert bench.verdict() == Verdict(3, newest=8, digest=bench.rows[-1][1])
        bench.change("DELETE FROM kept WHERE id = 6")
        assert bench.verdict().broken == 7

    def test_names_of_fields_go_with_the_last_row_that_has_them(self, bench: Bench) -> None:
        bench.record.close()
        record = bench.start(keep_s=2 * DAY_S)
        bench.send(About("names", fields=("secret_project",)))
        bench.clock.advance(3.5 * DAY_S)
        bench.send()
        record.keep(bench.clock.now())
        bench.record.close()
        words = [row[0] for row in bench.change("SELECT word FROM words")]
        assert sorted(words) == ["http://proxy.example:3128", "https://hub.example:443", "key rows"]

    def test_a_clock_that_was_put_forward_lets_nothing_go(self, bench: Bench) -> None:
        now = bench.clock.now()
        bench.send()
        bench.clock.jump(5000)
        bench.record.keep(now)
        assert bench.kinds() == ["start", "call"]

    def test_nobody_can_pretend_that_rows_were_pruned_without_their_hash(
        self, bench: Bench
    ) -> None:
        bench.send()
        bench.change("DELETE FROM kept WHERE id = 1")
        bench.change(
            "INSERT INTO kept (id, at, kind, of, sha256, hash) VALUES (4, '', 'pruned', 1, ?, ?)",
            "00" * 32, bytes(32),
        )  # fmt: skip
        assert bench.verdict().broken == 2


class TestDamage:
    @pytest.mark.parametrize("content", [b"a letter " * 3000, b"SQLite format 3\0" + b"x" * 9000])
    def test_a_damaged_record_is_moved_aside_and_the_new_one_says_so(
        self, bench: Bench, content: bytes
    ) -> None:
        bench.record.close()
        bench.file.write_bytes(content)
        bench.start()
        (kept,) = bench.folder.glob("egress.db.damaged-*")
        assert kept.read_bytes() == content
        assert bench.entries()[0].row.text == (
            f"boot 2; the record before was damaged, and is kept as {kept.name}"
        )
        assert bench.verdict().broken is None

    def test_a_record_that_is_gone_is_told(self, bench: Bench) -> None:
        bench.record.close()
        bench.file.unlink()
        bench.start()
        assert bench.entries()[0].row.text == "boot 2; a new record: none was here"

    def test_damage_under_the_agent_begins_a_new_record_too(self, bench: Bench) -> None:
        bench.send()
        bench.record._database.query("PRAGMA wal_checkpoint(TRUNCATE)")
        with bench.file.open("r+b") as file:
            file.write(b"no database at all")
            file.seek(4096)
            file.write(b"\xff" * (bench.file.stat().st_size - 4096))
        bench.record._database.query("PRAGMA shrink_memory")
        bench.send(outcome=None)
        assert len(list(bench.folder.glob("egress.db.damaged-*"))) == 1
        assert bench.kinds()[0] == "start"
        assert bench.kinds()[-1] == "call"
        assert bench.verdict().broken is None

    def test_a_record_of_the_first_schema_goes_on_as_it_was(self, bench: Bench) -> None:
        bench.send()
        bench.record.close()
        before, verdict = bench.entries(), bench.verdict()
        names = ", ".join(COLUMNS)
        for statement in (
            f"CREATE TABLE old ({names}, hash)",
            "INSERT INTO old SELECT * FROM rows",
            "DROP VIEW rows",
            "DROP TABLE kept",
            "DROP TABLE words",
            "ALTER TABLE old RENAME TO rows",
            "CREATE INDEX outcomes ON rows (of) WHERE kind = 'outcome'",
            "PRAGMA user_version = 1",
        ):
            bench.change(statement)
        assert (bench.entries(), bench.verdict()) == (before, verdict), "read as it is"
        bench.start()
        assert bench.entries()[: len(before)] == before
        assert bench.kinds()[len(before) :] == ["start"]
        assert bench.entries()[-1].row.text == "boot 2", "not damaged, and closed"
        assert bench.verdict().broken is None
        assert (bench.folder / "egress.db.v1").exists()

    def test_a_newer_record_is_left_alone(self, bench: Bench) -> None:
        bench.record.close()
        bench.change("PRAGMA user_version = 9")
        with pytest.raises(StoreVersionError):
            bench.start()


class TestFullDisk:
    def test_nothing_may_leave_until_there_is_room_and_no_outcome_is_lost(
        self, bench: Bench
    ) -> None:
        told: list[str] = []
        bench.record.on_trouble = lambda error: told.append(error.code)
        bench.record.on_fine = lambda: told.append("fine")
        under_way = bench.send(outcome=None)
        pages = bench.record._database.query("PRAGMA page_count")[0][0]
        bench.record._database.query(f"PRAGMA max_page_count={pages}")
        with suppress(StoreFullError):
            for _ in range(500):
                bench.send(outcome=None)
        with pytest.raises(StoreFullError):
            bench.send()
        refused = "409, " * 100  # more than what is left of a page that takes no call
        bench.record.end(under_way, refused)
        assert set(told) == {"E-DISK-06"}
        bench.send(About("poll"))
        bench.record._database.query("PRAGMA max_page_count=100000")
        bench.keep()
        assert told[-1] == "fine", "also when nothing more wants to leave"
        outcomes = {each.row.id: each.outcome for each in bench.entries()}
        assert outcomes[under_way] == refused
        assert bench.verdict().broken is None


@pytest.mark.parametrize(
    ("job", "found"), [("digits/3", ["digits/3"]), ("digits", ["digits/3", "digits/4"]), ("d", [])]
)
def test_calls_about_a_job_or_an_experiment_are_found(
    bench: Bench, job: str, found: list[str]
) -> None:
    for number, name in enumerate(("digits/3", "digits/4", "digits-2/3")):
        bench.record.know(f"job-{number}", name)
        bench.send(About("fail", f"job-{number}"))
    bench.send(About("register"))
    assert [entry.row.job for entry in bench.entries(job=job)] == found


def test_only_the_newest_jobs_are_remembered_by_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alectio_agent.agent.journal.egress.MOST_KNOWN", 1)
    bench.record.know("job-1", "digits/1")
    bench.record.know("job-2", "digits/2")
    bench.send(About("fail", "job-1"))
    bench.send(About("fail", "job-2"))
    assert [entry.row.job for entry in bench.entries()[-2:]] == ["job-1", "digits/2"]


def test_the_chain_can_be_checked_as_the_documentation_says(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody who does not trust this program."""
    program = Path("docs/what-leaves.md").read_text().split("```python\n")[1].split("```")[0]
    bench.record.know("job-1", 'dïgits"/3')
    bench.send()
    monkeypatch.chdir(bench.folder)
    exec(program, {})
    bench.change("UPDATE kept SET job = 'x' WHERE id = 2")
    with pytest.raises(AssertionError):
        exec(program, {})
