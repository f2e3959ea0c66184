"""The checks of one pipeline: interpreter, variables, folders, hooks."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from alectio_agent.agent.hooks.activation import activate
from alectio_agent.agent.hooks.env_file import read_env_file
from alectio_agent.agent.hooks.environment import without_secrets
from alectio_agent.agent.hooks.groups import ForgetfulGroups
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.interpreter import ask_interpreter
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.cli.announcement import pool_size
from alectio_agent.cli.check_gpus import check_gpus
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import AlectioAgentError, HookLoadError
from alectio_agent.core.units import write_duration

FORMS = {"payload": "{}(payload)", "keywords": "{} by keywords"}


def check_pipeline(
    name: str,
    settings: AgentFile,
    pools: dict[str, int | None],
    inherited: Mapping[str, str],
) -> Iterator[Check]:
    """Look at a pipeline; the hooks are imported in their own interpreter.

    Args:
        name: Of the pipeline.
        settings: Of the agent.
        pools: Gets the number of its samples, None when it does not say; nothing when its hooks
            cannot be loaded.
        inherited: The variables that hooks are given, besides those of the pipeline.

    Yields:
        A check for each thing.
    """
    pipeline = settings.pipelines[name]
    python = _python(name, pipeline, inherited)
    yield python
    variables = _env_file(name, pipeline)
    if variables is not None:
        yield variables
    yield _checkpoints(name, pipeline)
    timeout = pipeline.timeout
    limits = {"train": timeout.train, "test": timeout.test, "infer": timeout.infer}
    limits["no_progress"] = timeout.no_progress
    yield passed(f"{name}: timeout", ", ".join(f"{key} {_shown(s)}" for key, s in limits.items()))
    for needed in (python, variables):
        if needed is not None and needed.state == "failed":
            for line in ("gpu", "hooks"):
                why = f"not tried: {needed.name} must be mended first"
                yield Check(f"{name}: {line}", "skipped", why)
            return
    try:
        yield check_gpus(name, settings, inherited)
    except AlectioAgentError as error:
        yield failed(f"{name}: gpu", error)
    try:
        found = _inspect(name, settings, inherited)
    except AlectioAgentError as error:
        yield failed(f"{name}: hooks", error)
        return
    pools[name] = pool_size(pipeline, found)
    yield passed(f"{name}: hooks", _hooks_told(found))


def _python(name: str, pipeline: PipelineSettings, inherited: Mapping[str, str]) -> Check:
    try:
        environment = activate(pipeline.python, without_secrets(inherited)) | pipeline.env
        found = ask_interpreter(name, pipeline, environment)
    except HookLoadError as error:
        return failed(f"{name}: python", error)
    packages = "".join(f", {package} {number}" for package, number in found.packages.items())
    is_set = "python" in pipeline.model_fields_set
    whose = "" if is_set else " (the agent's own: `python` is not set)"
    return passed(f"{name}: python", f"{pipeline.python} is {found.version}{packages}{whose}")


def _env_file(name: str, pipeline: PipelineSettings) -> Check | None:
    if pipeline.env_file is None:
        return None
    try:
        count = len(read_env_file(pipeline.env_file))
    except HookLoadError as error:
        return failed(f"{name}: env_file", error)
    return passed(f"{name}: env_file", f"{pipeline.env_file}: {count} variables")


def _checkpoints(name: str, pipeline: PipelineSettings) -> Check:
    folder = pipeline.checkpoints.dir
    there = nearest_existing(folder)
    if there.is_dir() and os.access(there, os.R_OK | os.W_OK | os.X_OK):
        made = "" if there == folder else " (will be made)"
        return passed(f"{name}: checkpoints", f"{folder}{made}, keeps {pipeline.checkpoints.keep}")
    what = "may not be read and written by this user" if there.is_dir() else "is no folder"
    error = HookLoadError(
        f"E-HOOK-02  pipelines.{name}.checkpoints.dir: {folder}: {there} {what}",
        hint=f"Give access to it, or name another folder in pipelines.{name}.checkpoints.dir",
    )
    return failed(f"{name}: checkpoints", error)


def _inspect(name: str, settings: AgentFile, inherited: Mapping[str, str]) -> HookInspection:
    """In a folder of its own: a running agent reads the names of its samples from another."""
    gpus = settings.gpus_of(settings.first_slot(name))
    slot = HookSlot(SystemClock(), ForgetfulGroups(), inherited, gpus=gpus)
    with tempfile.TemporaryDirectory(prefix="alectio-check-") as folder:
        try:
            return slot.inspect(name, settings.pipelines[name], Path(folder))
        finally:
            slot.close()


def _hooks_told(found: HookInspection) -> str:
    told = [FORMS[form].format(hook) for hook, form in found.forms.items() if hook != "state"]
    if found.state_size is not None:
        told.append(f"state names {found.state_size:,} samples")
    return ", ".join(told)


def nearest_existing(path: Path) -> Path:
    """The path itself, or the nearest folder above that is there.

    Args:
        path: Absolute.
    """
    return next(candidate for candidate in (path, *path.parents) if _exists(candidate))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _shown(seconds: float | None) -> str:
    return "none" if seconds is None else write_duration(seconds)
