"""Writes configuration files and reads back what the loader says about them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from pydantic import BaseModel

from alectio_agent.config.kinds import Kind
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError, ExitCode
from alectio_agent.wire.experiment import ExperimentSettings

PIPELINE = "pipelines:\n  digits:\n    hooks: processes.py\n"
"""Three lines that every right `agent.yaml` of these tests begins with."""

AGENT = PIPELINE + "experiment: experiment.yaml\n"
EXPERIMENT = "name: digits\nclasses: 10\nbatch: 30\nloops: 10\n"
LIBRARY_WORDS = ("should be", "should have", "should match", "Field required", "Extra inputs",
                 "Value error", "valid ", "unable to", "pydantic", "Traceback")  # fmt: skip


class _Editor(yaml.SafeLoader):
    """Reads YAML 1.2, where `on` is a text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [rule for rule in rules if first in "tTfF" or not rule[0].endswith(":bool")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_as_editors_do(text: str) -> Any:
    """The values of a file, as an editor that knows our schema reads them."""
    return yaml.load(text, _Editor)


READY = {"ALECTIO_AGENT_TOKEN_FILE": "/run/credentials/alectio-agent.service/token"}
"""Variables that the files in `configs/` are read with: systemd hands services their token."""


def load_agent(
    text: str,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> AgentFile:
    """Load `agent.yaml` with this text from the working folder."""
    return load(_write("agent.yaml", text), AgentFile, environment, overrides)


def load_experiment(text: str) -> ExperimentSettings:
    """Load `experiment.yaml` with this text from the working folder."""
    return load(_write("experiment.yaml", text), ExperimentSettings)


def problems(
    text: str | bytes,
    model: type[BaseModel],
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> list[str]:
    """The lines of the error that a wrong file gives."""
    file = _write("agent.yaml" if model is AgentFile else "experiment.yaml", text)
    with pytest.raises(ConfigError) as caught:
        load(file, model, environment, overrides)
    assert caught.value.exit_code == ExitCode.CONFIG == 78
    message = str(caught.value)
    assert not [words for words in LIBRARY_WORDS if words in message], message
    return message.split("\n")


def agent_problems(
    text: str | bytes,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> list[str]:
    """What is wrong with this `agent.yaml`."""
    return problems(text, AgentFile, environment, overrides)


def experiment_problems(text: str | bytes) -> list[str]:
    """What is wrong with this `experiment.yaml`."""
    return problems(text, ExperimentSettings)


def _write(name: str, text: str | bytes) -> Path:
    file = Path(name)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def keys_of(kind: Kind, prefix: str = "") -> set[str]:
    """Dotted keys of a model; entries of lists and free mappings add nothing."""
    keys = set[str]()
    for option in kind.options:
        for name, child in option.fields.items():
            keys |= {prefix + name} | keys_of(child, f"{prefix}{name}.")
        for entry in (option.child("") if option.container(dict) else None, option.child(0)):
            keys |= keys_of(entry, prefix) if entry else set()
    return keys
