"""Loads the two files of a user for the commands."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alectio_agent.cli.screen import say
from alectio_agent.config.layers import Flag
from alectio_agent.config.loader import load, load_sound
from alectio_agent.config.lookup import FILE_NAME, find_config
from alectio_agent.config.nearest import nearest_file
from alectio_agent.config.problems import shown_path
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError

if TYPE_CHECKING:
    from alectio_agent.wire.experiment import ExperimentSettings

STATE_DIR = ("agent", "state_dir")
NOT_NEEDED = "The state folder is known, which is all that this command needs: it goes on."


def load_agent_file(
    config: Path | None,
    overrides: Mapping[Flag, Any] | None = None,
    *,
    is_local: bool = False,
) -> tuple[AgentFile, Path]:
    """Find and load `agent.yaml`.

    Args:
        config: As given on the command line.
        overrides: Flag settings, by key.
        is_local: The command stays on this machine: it needs no certificate and no credentials,
            which its user may not be allowed to read.

    Returns:
        The settings, and the file that won.

    Raises:
        ConfigError: There is none, or it has problems: all of them at once.
    """
    file = find_config(config, os.environ, Path.cwd())
    looks = not is_local
    return load(file, AgentFile, os.environ, overrides or {}, looks_into_files=looks), file


def load_to_look(config: Path | None) -> AgentFile:
    """Load `agent.yaml` for a command that only has to find the agent.

    A key that is wrong must not keep anybody from an agent that runs, and has read another file.

    Args:
        config: As given on the command line.

    Raises:
        ConfigError: There is none, or it does not say where the agent's state folder is.
    """
    file = find_config(config, os.environ, Path.cwd())
    settings, wrong = load_sound(file, AgentFile, os.environ, STATE_DIR)
    if wrong is not None:
        say(f"warning: {wrong.message}\n{NOT_NEEDED}")
    return settings


def load_experiment_file(file: Path, agent_file: Path | None = None) -> "ExperimentSettings":
    """Load `experiment.yaml`.

    Args:
        file: Its path.
        agent_file: The `agent.yaml` that names it; None when the command line does.

    Raises:
        ConfigError: It cannot be read, or has problems: all of them at once.
    """
    if not os.path.lexists(file):
        raise _absent(file, agent_file)
    from alectio_agent.wire.experiment import ExperimentSettings

    return load(file, ExperimentSettings)


def _absent(file: Path, agent_file: Path | None) -> ConfigError:
    by = f"; `experiment` in {shown_path(agent_file)} names it" if agent_file else ""
    near = nearest_file(file, (file.parent / FILE_NAME,))
    return ConfigError(
        f"E-CONF-01  {shown_path(file)} does not exist{by}",
        hint=f"Did you mean {near}?" if near else "Expected a YAML file: docs/configuration.md.",
    )
