"""The files in `configs/` load, and show every key there is with a comment."""

from pathlib import Path

import pytest

from alectio_agent.config.kinds import Kind
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.wire.experiment import ExperimentSettings
from tests.support.config_files import READY, keys_of, read_as_editors_do

FOLDER = Path(__file__).parents[3] / "configs"
FILES = sorted(FOLDER.glob("*.yaml"))


def model_of(file):
    return AgentFile if file.name.startswith("agent") else ExperimentSettings


def shown_in(value, kind, prefix=""):
    keys = set()
    if isinstance(value, list):
        return set().union(*(shown_in(entry, kind.child(0) or kind, prefix) for entry in value))
    if not isinstance(value, dict):
        return keys
    for key, below in value.items():
        child = kind.child(key)
        named = f"{prefix}{key}" if key in kind.fields else prefix.rstrip(".")
        keys |= {named} | (shown_in(below, child, f"{named}.") if child else set())
    return keys


def test_the_files_are_there():
    assert [file.stem for file in FILES] == [
        "agent-air-gap", "agent-behind-proxy", "agent-embedded", "agent-platform", "agent-smallest",
        "experiment-smallest", "experiment",
    ]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_loads(file):
    load(file, model_of(file), READY)


@pytest.mark.parametrize("model", [AgentFile, ExperimentSettings])
def test_together_they_show_every_key(model):
    root = Kind.of(model)
    shown = set()
    for file in FILES:
        if model_of(file) is model:
            shown |= shown_in(read_as_editors_do(file.read_text()), root)
    assert len(keys_of(root)) > 20
    assert keys_of(root) - shown == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_key_has_a_comment_in_its_line_or_above_it(file):
    above = ""
    for line in file.read_text().splitlines():
        is_key = line.strip() and not line.strip().startswith("#")
        assert not is_key or "# " in line or above.strip().startswith("#"), line
        above = line


def test_the_smallest_files_are_the_smallest():
    """Each key taken away makes them wrong."""
    agent = read_as_editors_do((FOLDER / "agent-smallest.yaml").read_text())
    experiment = read_as_editors_do((FOLDER / "experiment-smallest.yaml").read_text())
    assert set(agent) == {"pipelines", "experiment"}
    assert list(agent["pipelines"].values()) == [{"hooks": "processes.py", "pool_size": 1437}]
    assert set(experiment) == {"name", "task", "classes", "batch", "loops"}


def test_experiments_that_configurations_name_exist():
    for file in FILES:
        if model_of(file) is AgentFile:
            experiment = load(file, AgentFile, READY).experiment
            assert experiment is None or experiment.is_file()
