"""`audit`: the record of a dead agent for people and programs, and wrong command lines."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.agent.journal.egress import EgressRecord
from alectio_agent.agent.journal.outgoing import About, Way
from alectio_agent.cli.main import main
from tests.support.clocks import FakeClock
from tests.support.projects import write_project


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALECTIO_AGENT_CONFIG", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    (tmp_path / ".alectio").mkdir()
    return tmp_path / ".alectio"


@pytest.fixture
def record(state: Path):
    opened = EgressRecord(state, FakeClock(), 1e9, "boot 1")
    opened.know("job-1", "x" * 64 + "/3")
    way = Way("https://hub.example:443", "http://proxy.example:3128")
    row = opened.begin(About("commit", "job-1", "train", ("key",), 3), way, 2048, "ab" * 32)
    opened.end(row, "200")
    opened.begin(About("register"), way, 10, "ab" * 32)
    opened.begin(About("poll"), way, 10, "")
    opened.keep(FakeClock().now())
    yield opened
    opened.close()


def audit(*words: str) -> Result:
    return CliRunner().invoke(main, ["audit", *words], terminal_width=80)


@pytest.mark.usefixtures("record")
def test_a_line_for_each_call_that_fits_80_columns() -> None:
    text = audit().stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "to https://hub.example:443 through http://proxy.example:3128\n" in text
    told = " ".join(text.split())
    assert f"commit {'x' * 64}/3 train 2.0 KiB 200" in told
    assert "register 10 B no outcome: the agent ended" in told
    assert "polls: 1, 10 B in this hour" in told


@pytest.mark.usefixtures("record")
def test_rows_for_programs_hold_every_column() -> None:
    rows = json.loads(audit("--json").stdout)
    commit = next(row for row in rows if row["call"] == "commit")
    del commit["hash"]
    assert commit == {
        "id": 2, "at": "2026-01-01T00:00:00.000Z", "kind": "call",
        "target": "https://hub.example:443", "via": "http://proxy.example:3128", "call": "commit",
        "job": "x" * 64 + "/3", "step": "train", "calls": 1, "bytes": 2048, "sha256": "ab" * 32,
        "fields": ["key"], "rows": 3, "outcome": "200", "note": None,
    }  # fmt: skip
    assert (rows[-1]["id"], rows[-1]["kind"], rows[-1]["calls"]) == (None, "count", 1)
    lines = audit("--csv").stdout.splitlines()
    assert lines[0].startswith("id,at,kind,target")
    assert len(lines) == 1 + len(rows)


@pytest.mark.usefixtures("record")
def test_nothing_that_is_asked_for_is_an_empty_list() -> None:
    assert json.loads(audit("--json", "--job", "other").stdout) == []
    assert "nothing left" in audit("--job", "other").stderr


def test_a_damaged_record_is_no_whole_one(state: Path, record: EgressRecord) -> None:
    record.close()
    (state / "egress.db").write_bytes(b"no database at all " * 500)
    found = audit("--verify")
    assert found.exit_code == 3
    assert "the file is damaged" in found.stdout


@pytest.mark.parametrize(
    "words",
    [("--csv", "--json"), ("--verify", "--explain"), ("--verify", "--job", "x"),
     ("--explain", "--since", "1d")],
)  # fmt: skip
@pytest.mark.usefixtures("record")
def test_options_that_do_not_go_together_are_refused(words: tuple[str, ...]) -> None:
    found = audit(*words)
    assert found.exit_code == 2
    assert all(word in found.stderr for word in words if word.startswith("--"))


@pytest.mark.usefixtures("state")
def test_a_folder_without_a_record_says_what_to_do() -> None:
    found = audit()
    assert found.exit_code == 2
    assert "audit --explain" in found.stderr
    assert audit("--explain").exit_code == 0, "that needs no record"
