"""Looks at a pipeline's interpreter and folders before anything is started with them."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import HookLoadError

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
    check_interpreter(name, pipeline)
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


def check_interpreter(name: str, pipeline: PipelineSettings) -> None:
    """Refuse what could not be started, with the key that is to blame.

    Args:
        name: Of the pipeline.
        pipeline: Its settings.

    Raises:
        HookLoadError: `python` or `cwd` is not there, or may not be seen.
    """
    key = f"E-HOOK-02  pipelines.{name}"
    if not _is_there(pipeline.python, f"{key}.python", is_folder=False):
        raise HookLoadError(
            f"{key}.python: {pipeline.python}: no such interpreter; expected the path of one, such "
            "as /opt/conda/envs/torch/bin/python"
        )
    if not _is_there(pipeline.cwd, f"{key}.cwd", is_folder=True):
        raise HookLoadError(f"{key}.cwd: {pipeline.cwd}: no such folder; make it, or name another")


def _is_there(path: Path, key: str, *, is_folder: bool) -> bool:
    try:
        return path.is_dir() if is_folder else path.is_file()
    except OSError as error:
        raise HookLoadError(
            f"{key}: {path} cannot be seen by this agent ({error.strerror}). Give it access, or "
            "move it, for example to /opt"
        ) from error
