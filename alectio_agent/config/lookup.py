"""Finds the configuration file of this run."""

import os
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.config.problems import shown_path
from alectio_agent.core.errors import ConfigError

VARIABLE = "ALECTIO_AGENT_CONFIG"
FILE_NAME = "agent.yaml"
INIT = "alectio-agent init DIR"
SYSTEM_FILE = Path("/etc/alectio-agent") / FILE_NAME


def find_config(
    explicit: Path | None,
    environment: Mapping[str, str],
    cwd: Path,
    system_file: Path = SYSTEM_FILE,
    beside: Path | None = None,
) -> Path:
    """Find `agent.yaml`: the flag, the variable, this folder, a script's, the system's.

    A file that was named must exist: another one is never taken in its place.

    Args:
        explicit: As given by `--config`; None when the flag was not given.
        environment: The process's variables.
        cwd: Working folder.
        system_file: Where a service's configuration lies.
        beside: The folder of a script that is run.

    Returns:
        The winner's absolute path.

    Raises:
        ConfigError: There is none; the message names every place that was looked at.
    """
    winner = find_if_any(explicit, environment, cwd, system_file, beside)
    if winner is not None:
        return winner
    places = ", ".join(_looked_at(place) for place in _places(cwd, system_file, beside))
    raise ConfigError(
        f"E-CONF-01  no {FILE_NAME} found. Looked at: --config (not given), ${VARIABLE} (not set), "
        f"{places}",
        hint=f"Go to the folder that holds it, or name it: --config PATH. Make one: {INIT}. "
        "For a command about a hub, name that instead: --hub URL",
    )


def find_if_any(
    explicit: Path | None,
    environment: Mapping[str, str],
    cwd: Path,
    system_file: Path = SYSTEM_FILE,
    beside: Path | None = None,
) -> Path | None:
    """As `find_config`, where doing without is possible.

    Args:
        explicit: As given by `--config`; None when the flag was not given.
        environment: The process's variables.
        cwd: Working folder.
        system_file: Where a service's configuration lies.
        beside: The folder of a script that is run.

    Returns:
        The winner's absolute path; None when there is none.

    Raises:
        ConfigError: A file that was named is not there.
    """
    if explicit is not None:
        return _named(cwd / explicit, "--config")
    named = environment.get(VARIABLE)
    if named:
        return _named(cwd / named, f"${VARIABLE}")
    # Nobody named the system's: whoever may not look there can do without it.
    return next((file for file in _places(cwd, system_file, beside) if os.path.isfile(file)), None)  # noqa: PTH113 - Path.is_file raises where nobody may look


def _places(cwd: Path, system_file: Path, beside: Path | None) -> list[Path]:
    scripts = [] if beside is None or beside == cwd else [beside]
    return [*(folder / FILE_NAME for folder in (cwd, *scripts)), system_file]


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


def _looked_at(place: Path) -> str:
    return f"{place} (this user may not look there)" if _is_closed(place) else str(place)


def _is_closed(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _named(path: Path, by: str) -> Path:
    if _is_closed(path):
        raise ConfigError(
            f"E-CONF-01  {shown_path(path)} ({by}): this user may not look into its folder",
            hint="Become the user that the agent runs as: sudo -u alectio-agent alectio-agent ...",
        )
    if path.is_file():
        return path
    found = "is a folder" if path.is_dir() else "does not exist"
    raise ConfigError(
        f"E-CONF-01  {shown_path(path)} ({by}) {found}; expected a YAML file",
        hint=f"For example {FILE_NAME} inside it." if path.is_dir() else "",
    )


def state_of_service(folder: Path) -> str:
    """Where our units keep the state; people who steer a service do not have its variables.

    Args:
        folder: Of the agent.yaml.

    Returns:
        Empty for a folder that is not /etc/alectio-agent, nor right below it.
    """
    home = SYSTEM_FILE.parent
    if folder == home:
        return "/var/lib/alectio-agent"
    return f"/var/lib/alectio-agents/{folder.name}" if folder.parent == home else ""
