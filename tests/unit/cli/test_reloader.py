"""HUP."""

import logging
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from alectio_agent.cli.options import Common
from alectio_agent.cli.reloadable import LIVE, RESTART
from alectio_agent.cli.reloader import Reloader
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.config.settings import AgentFile
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
    file.write_text(TEXT + "logging: {level: debug}\naudit: {keep: 1y}\n")
    first, second = reload.read(), reload.read()
    assert (first.changed, first.needs_restart) == (("logging.level",), ("audit.keep",))
    assert (second.changed, second.needs_restart) == ((), ("audit.keep",))
    assert first.file == str(file)


def test_the_parts_of_the_agent_get_what_the_file_says_now(file: Path) -> None:
    reload = Reloader(file, load_agent_file(file)[0], Common())
    taken: list[AgentFile] = []
    reload.in_force.on_change(taken.append)
    file.write_text(TEXT + "claim: {min_free_disk: 5GiB}\nslots: [{}, {}]\n")
    told = reload.read()
    assert (told.changed, told.needs_restart) == (("claim.min_free_disk",), ("slots",))
    assert taken[0].claim.min_free_disk == 5 * 2**30
    file.write_text(TEXT)
    assert reload.read().changed == ("claim.min_free_disk",)
    assert reload.read().needs_restart == ()


def all_keys() -> list[str]:
    """Every key, at the depth at which a reload names them."""
    found = []
    for section, field in AgentFile.model_fields.items():
        model = field.annotation
        is_section = isinstance(model, type) and issubclass(model, BaseModel)
        below = model.model_fields if is_section else {}
        found += [f"{section}.{key}" for key in below] or [section]
    return found


@pytest.mark.parametrize("key", all_keys())
def test_of_every_key_it_is_known_whether_it_waits_for_a_restart(key: str) -> None:
    waits = {key, key.split(".")[0]} & RESTART.keys()
    assert (key in LIVE) + len(waits) == 1


def test_the_page_names_the_keys_that_change_at_once() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text("utf-8")
    section = page.split("## Reload\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]
    assert {
        name for line in table for name in re.findall(r"`([a-z_.]+)`", line.split("|")[1])
    } == LIVE


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
