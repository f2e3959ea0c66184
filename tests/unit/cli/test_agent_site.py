"""Where an agent's platform is, as it is said when the agent starts."""

import logging
from pathlib import Path

import pytest

from alectio_agent.cli.agent_state import Site
from alectio_agent.config.settings import AgentFile


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
