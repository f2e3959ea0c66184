"""What is said of an agent's platform and its state folder when it starts."""

import logging
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from alectio_agent.agent.journal.egress_reading import reading_egress
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outgoing import About, Way
from alectio_agent.cli.agent_state import Site, open_state
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock
from tests.support.claims import PLATFORM, make_claim


def settings(folder: Path, url: str) -> AgentFile:
    (folder / "token").write_text("alt_x")
    (folder / "token").chmod(0o600)
    platform = {"url": url, "token_file": folder / "token", "allow_insecure_http": True}
    return AgentFile.model_validate({"pipelines": {"x": {"hooks": "/a.py"}}, "platform": platform})


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("http://hub.example.org", True),
        ("http://127.0.0.1:8642", False),
        ("https://hub.example.org", False),
    ],
)
def test_plain_http_to_another_machine_is_told_at_each_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str, *, is_told: bool
) -> None:
    """It was allowed once, in a file that nobody looks at."""
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            Site.distant(settings(tmp_path, url))
        told = [record.getMessage() for record in caplog.records]
        assert bool(told) is is_told
        assert all(f"{url}: plain http: the token and all results travel" in text for text in told)


def test_jobs_that_a_restart_takes_up_are_on_record_by_their_name(tmp_path: Path) -> None:
    given = settings(tmp_path, "https://hub.example.org")
    agent = given.agent.model_copy(update={"state_dir": tmp_path / "state"})
    agent.state_dir.mkdir()
    with closing(Journal(agent.state_dir / "agent.db", SystemClock())) as journal:
        journal.put_claim("boot-1", 1, make_claim(job_id="job-1", job="digits/7"), PLATFORM)
    with ExitStack() as stack:
        state = open_state(given.model_copy(update={"agent": agent}), stack)
        state.record.begin(About("fail", "job-1"), Way("https://hub.example.org:443"), 1, "ab")
    with reading_egress(agent.state_dir) as reader:
        assert [entry.row.job for entry in reader.entries(job="digits/7")] == ["digits/7"]


def test_a_journal_that_is_gone_is_told_once_even_if_no_result_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody removed it: without a word nobody knows why jobs are run again."""
    given = settings(tmp_path, "https://hub.example.org")
    agent = given.agent.model_copy(update={"state_dir": tmp_path / "state"})
    agent.state_dir.mkdir()
    site = given.model_copy(update={"agent": agent})

    def said() -> list[str]:
        caplog.clear()
        with ExitStack() as stack:
            open_state(site, stack)
        return [text for text in caplog.messages if "agent.db" in text]

    assert said() == []
    assert said() == []
    (agent.state_dir / "agent.db").unlink()
    [told] = said()
    assert f"{agent.state_dir / 'agent.db'} was gone: it is made anew from the results" in told
    assert said() == []
    (agent.state_dir / "agent.db").write_bytes(b"garbage" * 1000)
    [told] = said()
    assert "E-DISK-04" in told, "what was moved aside is not told twice"
