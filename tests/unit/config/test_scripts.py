"""Hooks that lie in a script: `script` and `argv` in agent.yaml, and a run without that file."""

from pathlib import Path

import pytest

from alectio_agent.config.loader import load
from alectio_agent.config.lookup import find_config, find_if_any
from alectio_agent.config.pipeline import HookFunctions
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from tests.support.config_files import agent_problems, load_agent

SCRIPT = """pipelines:
  x:
    hooks: {script: src/main.py, train: fit, test: 'scoring:test', infer: rows}
    argv: [--size, 224]
experiment: experiment.yaml
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_functions_of_a_script_are_named_without_a_module(here: Path) -> None:
    pipeline = load_agent(SCRIPT).pipelines["x"]
    assert isinstance(pipeline.hooks, HookFunctions)
    assert pipeline.hooks.references() == {"train": "fit", "test": "scoring:test", "infer": "rows"}
    assert pipeline.hooks_file == here / "src/main.py"
    assert pipeline.cwd == here / "src", "the script's folder, as for `hooks: src/main.py`"


def test_arguments_of_the_script_are_text(here: Path) -> None:
    assert load_agent(SCRIPT).pipelines["x"].argv == ["--size", "224"]


def test_a_bare_name_needs_the_script_that_holds_it() -> None:
    (said,) = agent_problems(SCRIPT.replace("script: src/main.py, ", "").replace("rows", "'m:r'"))
    assert said.startswith("E-CONF-03  agent.yaml:3 pipelines.x.hooks.train: found 'fit'")
    assert "script" in said


def test_a_flag_reaches_a_pipeline_with_a_dot_in_its_name() -> None:
    text = "pipelines:\n  v1.2: {hooks: a.py}\nexperiment: e.yaml\n"
    found = load_agent(text, overrides={("pipelines", "v1.2", "argv"): ["x"]})
    assert found.pipelines["v1.2"].argv == ["x"]


def test_flags_alone_can_be_the_configuration(here: Path) -> None:
    flags = {("pipelines", "x", "hooks"): "main.py", "experiment": "experiment.yaml"}
    found = load(here / "agent.yaml", AgentFile, {}, flags, may_be_absent=True)
    assert found.pipelines["x"].hooks == here / "main.py"
    assert found.agent.state_dir == here / ".alectio"
    with pytest.raises(ConfigError, match="cannot be read"):
        load(here / "agent.yaml", AgentFile, {}, flags)


def test_the_scripts_folder_comes_before_the_systems_file(here: Path) -> None:
    beside, system = here / "src", here / "etc.yaml"
    beside.mkdir()
    system.touch()
    assert find_config(None, {}, here, system, beside) == system
    (beside / "agent.yaml").touch()
    assert find_config(None, {}, here, system, beside) == beside / "agent.yaml"
    (here / "agent.yaml").touch()
    assert find_config(None, {}, here, system, beside) == here / "agent.yaml"


def test_doing_without_a_file_is_no_excuse_for_a_named_one(here: Path) -> None:
    assert find_if_any(None, {}, here, here / "none.yaml") is None
    with pytest.raises(ConfigError, match="does not exist"):
        find_if_any(here / "named.yaml", {}, here)
