"""Looks at a pipeline's interpreter and folders before anything is started with them."""

import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import HookLoadError
from alectio_agent.core.service_unit import hidden_root, own_unit

ASKING_S = 60.0
OLDEST = (3, 9)
PACKAGES = ("numpy", "torch")
ASK = f"""
import sys
print("%d.%d.%d" % sys.version_info[:3])
from importlib.util import find_spec
from importlib.metadata import version
for name in {PACKAGES!r}:
    if find_spec(name):
        print(name, version(name))
"""


@dataclass(frozen=True)
class Interpreter:
    """What an interpreter says about itself.

    Attributes:
        packages: Name to version, of those that hooks often need; nothing was imported.
    """

    version: str
    packages: dict[str, str]


def ask_interpreter(name: str, pipeline: PipelineSettings, found: Mapping[str, str]) -> Interpreter:
    """Start a pipeline's interpreter for a moment; no user code runs.

    Args:
        name: Of the pipeline.
        pipeline: Its settings.
        found: The environment of its hooks.

    Returns:
        Version and packages.

    Raises:
        HookLoadError: It is not there, does not run, or is too old.
    """
    check_interpreter(name, pipeline, found)
    key = f"E-HOOK-02  pipelines.{name}.python: {pipeline.python}"
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that was configured
            [str(pipeline.python), "-c", ASK],
            cwd="/", env=dict(found), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=ASKING_S, text=True, errors="replace", check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise HookLoadError(f"{key} cannot be started: {error}") from error
    version, *lines = done.stdout.splitlines() or [""]
    numbers = version.split(".")
    if len(numbers) != 3 or not all(map(str.isdigit, numbers)):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise HookLoadError(f"{key} is no Python that runs: {last[:200]}")
    if (int(numbers[0]), int(numbers[1])) < OLDEST:
        raise HookLoadError(f"{key} is Python {version}; hooks need 3.9 or newer")
    return Interpreter(version, dict(line.split(" ", 1) for line in lines if " " in line))


def check_interpreter(
    name: str, pipeline: PipelineSettings, environment: Mapping[str, str]
) -> None:
    """Refuse what could not be started, with the key that is to blame.

    Args:
        name: Of the pipeline.
        pipeline: Its settings.
        environment: Tells whether this is a service, from which homes are hidden.

    Raises:
        HookLoadError: `python` or `cwd` is not there, or may not be seen.
    """
    key, unit = f"E-HOOK-02  pipelines.{name}", own_unit(environment)
    if not _is_there(pipeline.python, f"{key}.python", unit, is_folder=False):
        raise HookLoadError(
            f"{key}.python: {pipeline.python}: no such interpreter; expected the path of one, such "
            "as /opt/conda/envs/torch/bin/python"
        )
    if not _is_there(pipeline.cwd, f"{key}.cwd", unit, is_folder=True):
        raise HookLoadError(f"{key}.cwd: {pipeline.cwd}: no such folder; make it, or name another")


def _is_there(path: Path, key: str, unit: str, *, is_folder: bool) -> bool:
    try:
        is_there = path.is_dir() if is_folder else path.is_file()
    except OSError as error:
        _refuse_hidden(path, key, unit, is_folder=is_folder)
        raise HookLoadError(
            f"{key}: {path} cannot be seen by this agent ({error.strerror}). Give it access, or "
            "move it, for example to /opt"
        ) from error
    if not is_there:
        _refuse_hidden(path, key, unit, is_folder=is_folder)
    return is_there


def _refuse_hidden(path: Path, key: str, unit: str, *, is_folder: bool) -> None:
    """A file in a home may well be there; a service is shown an empty folder in its place."""
    root = hidden_root(path)
    if not unit or root is None:
        return
    # bin/python of an environment is nothing without the rest of it.
    shown = path if is_folder else path.parent.parent
    raise HookLoadError(
        f"{key}: {path}: the service {unit} cannot see {root}",
        hint=f"alectio-agent service install --read {shlex.quote(str(shown))} (beside the options "
        "it was installed with), or move it, for example to /opt",
    )
