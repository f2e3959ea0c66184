"""`jobs`: the jobs of this agent, from the journal of a living or a dead one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.agent.journal.disk import FolderLock
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.cli.main import main
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.sqlite import Database
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.projects import write_project


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALECTIO_AGENT_CONFIG", raising=False)
    (tmp_path / ".alectio").mkdir()
    return tmp_path / ".alectio"


@pytest.fixture
def journal(state: Path):
    opened = Journal(state / "agent.db", SystemClock())
    yield opened
    opened.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["jobs", *words], terminal_width=80)


def claim(journal: Journal, loop: int = 1, attempt: int = 1, lease: str = "lease-1"):
    made = make_claim(job=f"digits/{loop}", loop=loop, attempt=attempt, lease=lease)
    journal.put_claim("boot", loop * 10 + attempt, made, PLATFORM)
    return made


def fail(journal: Journal, kind: str, message: str = "E-HOOK-10  it raised") -> None:
    raw = {"key": "key-fail", "step": "test", "class": kind, "message": message}
    journal.put_failure("lease-1", JobFailure.model_validate(raw))


def deliver(journal: Journal) -> None:
    while message := journal.next_message(PLATFORM):
        journal.settle(message)


def told(*words: str):
    found = json.loads(run("--json", *words).stdout)
    return [(job["state"], job["next"]) for job in found]


def test_a_delivered_job_needs_nothing(journal: Journal) -> None:
    made = claim(journal)
    for step in ("train", "test", "infer"):
        journal.put_commit(make_manifest(made, step), is_last=step == "infer")
    assert told() == [("computed, waits for delivery", "alectio-agent run")]
    deliver(journal)
    assert told() == [("delivered", "")]


def test_an_open_job_runs_only_while_an_agent_does(journal: Journal, state: Path) -> None:
    claim(journal)
    assert told() == [("interrupted", "alectio-agent run")]
    lock = FolderLock(state)
    assert told() == [("running", "")]
    lock.release()


@pytest.mark.parametrize(
    ("kind", "state_told", "mend"),
    [
        ("user_code", "failed", "alectio-agent experiment retry digits"),
        ("contract", "failed", "alectio-agent experiment retry digits"),
        (
            "crash",
            "failed",
            "it is tried again by itself as often as `retries` says; after that: "
            "alectio-agent experiment retry digits",
        ),
        ("interrupted", "handed back", "alectio-agent run"),
        ("cancelled", "cancelled", ""),
        ("rejected", "parked", "alectio-agent experiment show digits"),
    ],
)
def test_what_failed_says_what_to_do(
    journal: Journal, kind: str, state_told: str, mend: str
) -> None:
    claim(journal)
    fail(journal, kind)
    assert told() == [(f"{state_told}, waits for delivery", mend)]
    deliver(journal)
    assert told() == [(state_told, mend)]


def test_what_the_message_says_already_is_not_said_twice(journal: Journal) -> None:
    claim(journal)
    fail(journal, "contract", "E-HOOK-04  Mend it, then: alectio-agent experiment retry digits")
    deliver(journal)
    assert told() == [("failed", "")]


def test_a_superseded_job_says_why(journal: Journal) -> None:
    made = claim(journal)
    journal.put_commit(make_manifest(made, "train"), is_last=False)
    journal.supersede("lease-1", "attempt 2 counted")
    assert "attempt 2 counted" in run().stdout
    assert told() == [("superseded", "")]


def test_only_the_first_line_of_a_message_is_shown_and_it_is_safe(journal: Journal) -> None:
    claim(journal)
    fail(journal, "user_code", "E-HOOK-10  p.py:3: \x1b[31mno\nsecond line")
    shown = run().stdout
    assert "digits/1: E-HOOK-10  p.py:3: \\x1b[31mno" in shown
    assert "second line" not in shown


def test_the_table_fits_eighty_columns(journal: Journal) -> None:
    made = claim(journal, 123, 45)
    journal.put_commit(make_manifest(made, "train"), is_last=False)
    journal.put_commit(make_manifest(made, "test"), is_last=True)
    lines = run().stdout.splitlines()
    assert "digits/123" in lines[1]
    assert "train, test" in lines[1]
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_the_newest_come_last_and_no_more_than_asked(journal: Journal) -> None:
    for loop in range(4):
        claim(journal, loop, lease=f"lease-{loop}")
    found = [job["job"] for job in json.loads(run("--json", "-n", "2").stdout)]
    assert found == ["digits/2", "digits/3"]


def test_nothing_is_made_or_changed(journal: Journal, state: Path) -> None:
    claim(journal)
    journal.close()
    before = {file.name: file.read_bytes() for file in state.iterdir()}
    assert run().exit_code == 0
    assert {file.name: file.read_bytes() for file in state.iterdir()} == before


def test_without_an_agent_that_is_told_and_nothing_is_made(state: Path) -> None:
    result = run()
    assert result.exit_code == 2
    assert "E-USE-02" in result.stderr
    assert "no agent has worked in this state folder" in result.stderr
    assert list(state.iterdir()) == []


def test_a_journal_of_a_newer_version_is_refused(state: Path) -> None:
    Database(state / "agent.db", "CREATE TABLE t (x)", 99).close()
    result = run()
    assert result.exit_code == 78
    assert "E-DISK-03" in result.stderr


def test_a_damaged_journal_is_told(state: Path) -> None:
    (state / "agent.db").write_bytes(b"no database at all" * 100)
    result = run()
    assert "E-DISK-04" in result.stderr
    assert "agent.db" in result.stderr
    assert "Traceback" not in result.output


def test_a_journal_without_tables_has_no_jobs(state: Path) -> None:
    (state / "agent.db").touch()
    assert run().exit_code == 0
    assert "no job yet" in run().stderr


def test_only_the_newest_attempt_says_what_goes_on(journal: Journal) -> None:
    """Earlier ones are history: nobody should type a command for them."""
    claim(journal)
    fail(journal, "crash")
    deliver(journal)
    claim(journal, attempt=2, lease="lease-2")
    first, second = told()
    assert first == ("failed", "")
    assert second == ("interrupted", "alectio-agent run")


def test_of_several_attempts_each_message_says_whose_it_is(journal: Journal) -> None:
    claim(journal)
    fail(journal, "crash", "E-HOOK-10  it raised")
    deliver(journal)
    claim(journal, attempt=2, lease="lease-2")
    raw = {"key": "key-2", "step": "test", "class": "oom", "message": "E-HOOK-14  too much"}
    journal.put_failure("lease-2", JobFailure.model_validate(raw))
    said = run().stdout
    assert "\ndigits/1: E-HOOK-10  it raised\n" in said
    assert "\ndigits/1 (attempt 2): E-HOOK-14  too much\n" in said
