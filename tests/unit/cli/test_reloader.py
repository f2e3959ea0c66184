"""HUP."""

import logging
from pathlib import Path

import pytest

from alectio_agent.cli.options import Common
from alectio_agent.cli.reloader import Reloader
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.core.errors import ConfigError

TEXT = """
pipelines:
  digits: {hooks: processes.py, pool_size: 10}
experiment: experiment.yaml
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = logging.getLogger("alectio_agent")
    before = (root.level, root.propagate)
    root.propagate = True
    (tmp_path / "agent.yaml").write_text(TEXT)
    yield tmp_path / "agent.yaml"
    root.setLevel(before[0])
    root.propagate = before[1]


def test_the_log_level_is_taken_at_once(file: Path) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    file.write_text(TEXT + "logging: {level: debug}\n")
    reload()
    assert logging.getLogger("alectio_agent").level == logging.DEBUG


def test_keys_that_need_a_restart_are_named(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    file.write_text(TEXT.replace("pool_size: 10", "pool_size: 11"))
    reload()
    assert "needs a restart: pipelines.digits" in caplog.text


def test_what_is_in_force_is_told_once(file: Path) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    file.write_text(TEXT + "logging: {level: debug, keep: 3d}\n")
    first, second = reload.read(), reload.read()
    assert (first.changed, first.needs_restart) == (("logging.level",), ("logging.keep",))
    assert (second.changed, second.needs_restart) == ((), ("logging.keep",))
    assert first.file == str(file)


def test_a_broken_file_is_told_to_who_asked(file: Path) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    file.write_text(TEXT + "nonsense: 1\n")
    with pytest.raises(ConfigError, match="unknown key"):
        reload.read()


def test_a_broken_file_changes_nothing(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    file.write_text(TEXT + "logging: {level: debug}\nnonsense: 1\n")
    reload()
    assert "unknown key" in caplog.text
    assert logging.getLogger("alectio_agent").level != logging.DEBUG


def test_the_format_of_the_log_is_taken_at_once(file: Path) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    handler = logging.StreamHandler()
    root = logging.getLogger("alectio_agent")
    root.addHandler(handler)
    try:
        file.write_text(TEXT + "logging: {format: json}\n")
        assert reload.read().changed == ("logging.format",)
        record = logging.LogRecord("a", logging.INFO, "", 1, "said", None, None)
        assert handler.format(record).startswith("{")
        assert reload.read().changed == ()
    finally:
        root.removeHandler(handler)
