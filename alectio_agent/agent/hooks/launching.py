"""Starts a hook process with its two pipes."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.disk_errors import disk_errors
from alectio_agent.core.errors import HookLoadError

CLOEXEC = os.O_CLOEXEC
START_FILE = Path(__file__).parent / "child" / "start.py"


@dataclass(frozen=True)
class Launch:
    """How to start a hook process.

    Attributes:
        log_file: Gets what it prints until the first command names another.
        marker: Stands in `environment` too.
        has_terminal: It gets the agent's own standard streams, for a debugger.
    """

    python: Path
    cwd: Path
    environment: Mapping[str, str]
    log_file: Path
    marker: str
    has_terminal: bool = False


def start_process(launch: Launch) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start it; no user code runs before the first command.

    Args:
        launch: How.

    Returns:
        The process, and the agent's ends of the two pipes: for commands, and for reports.

    Raises:
        StoreError: The log file cannot be made; nothing was started.
        HookLoadError: The interpreter cannot be started.
    """
    with disk_errors(launch.log_file):
        launch.log_file.parent.mkdir(parents=True, exist_ok=True)
        prints = os.open(launch.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | CLOEXEC, 0o600)
    commands_read, commands = os.pipe2(CLOEXEC)
    reports, reports_write = os.pipe2(CLOEXEC)
    words = [START_FILE, commands_read, reports_write, os.getpid()]
    try:
        process = subprocess.Popen(  # noqa: S603 - the interpreter that was configured
            [str(launch.python), *map(str, words)],
            cwd=launch.cwd,
            env=dict(launch.environment),
            stdin=None if launch.has_terminal else subprocess.DEVNULL,
            stdout=None if launch.has_terminal else prints,
            stderr=None if launch.has_terminal else prints,
            pass_fds=(commands_read, reports_write),
            start_new_session=True,
        )
    except OSError as error:
        os.close(commands)
        os.close(reports)
        raise HookLoadError(f"E-HOOK-02  {launch.python} cannot be started: {error}") from error
    finally:
        for descriptor in (prints, commands_read, reports_write):
            os.close(descriptor)
    os.set_blocking(commands, False)
    os.set_blocking(reports, False)
    return process, commands, reports
