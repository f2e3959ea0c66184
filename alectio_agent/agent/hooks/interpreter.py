"""Looks at a pipeline's interpreter and folders before anything is started with them."""

from pathlib import Path

from alectio_agent.config.settings import PipelineSettings
from alectio_agent.core.errors import HookLoadError


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
