"""Looks at the pipelines from inside the sandbox of the service that will run them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alectio_agent.cli.service_unit import UNIT, ServiceUnit
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.errors import HookLoadError
from alectio_agent.core.log import printable

BOOTED = Path("/run/systemd/system")
"""There when systemd runs this machine, as `sd_booted` looks for it."""
LONGEST_S = 1800.0
"""Hooks of all pipelines are imported."""


class _NothingRunError(Exception):
    """Inside the sandbox nothing could be run."""


def inner_command(config: Path) -> list[str]:
    """What is run inside: the same look, without the network, from there.

    Args:
        config: The agent.yaml.
    """
    words = ["check", "--offline", "--here", "--json", "--config", str(config)]
    return [sys.executable, "-m", "alectio_agent", *words]


def why_outside(booted: Path = BOOTED) -> str:
    """Why nothing can be run inside; empty when it can.

    Args:
        booted: See `BOOTED`.
    """
    if not booted.is_dir():
        return "systemd does not run here"
    return "" if os.geteuid() == 0 else "only root may start it: sudo alectio-agent check"


def look_within(unit: ServiceUnit, config: Path, settings: AgentFile) -> Iterator[Check]:
    """Run the checks of pipelines and experiment inside a sandbox like the unit's.

    Args:
        unit: Runs the agent of `config`.
        config: The agent.yaml.
        settings: From it.

    Yields:
        The check `sandbox`, and when it passed those that were made inside.
    """
    try:
        found = _run(unit.run_within(inner_command(config)))
    except _NothingRunError as error:
        yield _outside(str(error))
        return
    yield passed("sandbox", f"pipelines are looked at as {UNIT} runs them ({unit.file})")
    for check in found:
        name, _, what = check.name.partition(": ")
        if what == "python" and check.state == "failed":
            yield _hidden(name, settings) or check
        elif check.name == "experiment" or name in settings.pipelines:
            yield check


def _run(words: Sequence[str]) -> list[Check]:
    try:
        done = subprocess.run(  # noqa: S603 - words of ours and of the installed unit
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=LONGEST_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise _NothingRunError(str(error)) from error
    try:
        return [_check(each) for each in json.loads(done.stdout)]
    except (ValueError, KeyError, TypeError) as error:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise _NothingRunError(lines[-1]) from error


def _outside(why: str) -> Check:
    said = "pipelines are looked at from outside"
    return passed("sandbox", said, f"nothing can be run as {UNIT} would: {printable(why, 300)}")


def _check(told: dict[str, Any]) -> Check:
    problems = tuple(map(str, told["problems"]))
    return Check(str(told["check"]), told["state"], str(told["said"]), problems=problems)


def _hidden(name: str, settings: AgentFile) -> Check | None:
    """The interpreter is there for this user, and not for the service."""
    python = settings.pipelines[name].python
    if not python.is_file():
        return None
    top = python.parent.parent
    error = HookLoadError(
        f"E-HOOK-02  pipelines.{name}.python: {python} exists, but the service cannot use it",
        hint=f"alectio-agent service install --read {top}, or move it, for example to /opt",
    )
    return failed(f"{name}: python", error)


def sandboxed(config: Path, settings: AgentFile, folders: Sequence[Path]) -> list[Check]:
    """What can be seen from inside.

    Args:
        config: The agent.yaml.
        settings: From it.
        folders: Where units are installed.

    Returns:
        Nothing when no unit runs this configuration; one check, with a warning, when nothing can be
        run inside; else that and those that were made inside.
    """
    unit = ServiceUnit.find(folders)
    if unit is None or not unit.runs(config):
        return []
    why = why_outside()
    return [_outside(why)] if why else list(look_within(unit, config, settings))
