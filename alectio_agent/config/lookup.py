"""Finds the configuration file of this run."""

from collections.abc import Mapping
from pathlib import Path

from alectio_agent.config.problems import shown_path
from alectio_agent.core.errors import ConfigError

VARIABLE = "ALECTIO_AGENT_CONFIG"
FILE_NAME = "agent.yaml"
SYSTEM_FILE = Path("/etc/alectio-agent") / FILE_NAME


def find_config(
    explicit: Path | None,
    environment: Mapping[str, str],
    cwd: Path,
    system_file: Path = SYSTEM_FILE,
) -> Path:
    """Find `agent.yaml`: the flag, the variable, this folder, the system's.

    A file that was named must exist: another one is never taken in its place.

    Args:
        explicit: As given by `--config`; None when the flag was not given.
        environment: The process's variables.
        cwd: Working folder.
        system_file: Where a service's configuration lies.

    Returns:
        The winner's absolute path.

    Raises:
        ConfigError: There is none; the message names every place that was looked at.
    """
    if explicit is not None:
        return _named(cwd / explicit, "--config")
    named = environment.get(VARIABLE)
    if named:
        return _named(cwd / named, f"${VARIABLE}")
    for candidate in (cwd / FILE_NAME, system_file):
        if candidate.is_file():
            return candidate
    raise ConfigError(
        f"E-CONF-01  no {FILE_NAME} found. Looked at: --config (not given), ${VARIABLE} (not set), "
        f"{cwd / FILE_NAME}, {system_file}",
        hint="Go to the folder that holds it, or name it: --config PATH",
    )


def named_by(explicit: Path | None, environment: Mapping[str, str]) -> str:
    """Why a file won, for people.

    Args:
        explicit: As for `find_config`.
        environment: As for `find_config`.

    Returns:
        Such as `named by --config`.
    """
    if explicit is not None:
        return "named by --config"
    return f"named by ${VARIABLE}" if environment.get(VARIABLE) else "found"


def _named(path: Path, by: str) -> Path:
    if path.is_file():
        return path
    found = "is a folder" if path.is_dir() else "does not exist"
    raise ConfigError(
        f"E-CONF-01  {shown_path(path)} ({by}) {found}; expected a YAML file",
        hint=f"For example {FILE_NAME} inside it." if path.is_dir() else "",
    )
