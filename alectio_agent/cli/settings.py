"""Loads the two files of a user for the commands."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alectio_agent.config.layers import Flag
from alectio_agent.config.loader import load
from alectio_agent.config.lookup import find_config
from alectio_agent.config.settings import AgentFile
from alectio_agent.wire.experiment import ExperimentSettings


def load_agent_file(
    config: Path | None, overrides: Mapping[Flag, Any] | None = None
) -> tuple[AgentFile, Path]:
    """Find and load `agent.yaml`.

    Args:
        config: As given on the command line.
        overrides: Flag settings, by key.

    Returns:
        The settings, and the file that won.

    Raises:
        ConfigError: There is none, or it has problems: all of them at once.
    """
    file = find_config(config, os.environ, Path.cwd())
    return load(file, AgentFile, os.environ, overrides or {}), file


def load_experiment_file(file: Path) -> ExperimentSettings:
    """Load `experiment.yaml`.

    Args:
        file: Its path.

    Raises:
        ConfigError: It cannot be read, or has problems: all of them at once.
    """
    return load(file, ExperimentSettings)
