"""What a hook process is told to do, as plain JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.environment import ExperimentFolders
from alectio_agent.agent.hooks.failures import Scene
from alectio_agent.agent.hooks.steps import StepRun
from alectio_agent.config.pipeline import HookFunctions, PipelineSettings

Command = dict[str, Any]
ADDED_ARGS = frozenset({"current_loop", "cur_loop", "EXPT_DIR", "LOG_DIR"})
"""What hooks find in `args` besides what a person wrote."""


def load_command(
    name: str,
    pipeline: PipelineSettings,
    log_file: Path,
    folders: ExperimentFolders,
    step_run: StepRun | None = None,
) -> Command:
    """Import the hooks and read their signatures.

    Args:
        name: Of the pipeline.
        pipeline: Its settings.
        log_file: For what is printed.
        folders: Of the experiment: a process that was started ahead does not know them.
        step_run: What they are needed for; None for a look.
    """
    hooks, homes, script = pipeline.hooks, {pipeline.cwd}, pipeline.hooks_file
    if script is not None:
        homes.add(script.parent)
    return {
        "do": "load",
        "hooks": hooks.references() if isinstance(hooks, HookFunctions) else str(hooks),
        "script": str(script) if script is not None else None,
        "pipeline": name,
        "start": asdict(pipeline.start) if pipeline.start is not None else None,
        "argv": pipeline.argv,
        "folders": sorted(str(home) for home in homes),
        "cwd": str(pipeline.cwd),
        "environment": folders.variables,
        "seeding": [step_run.seed, step_run.loop, "load"] if step_run else [0, 0, "load"],
        "log_file": str(log_file),
        "debug": step_run is not None and step_run.is_debugged,
    }


def step_command(
    step_run: StepRun, folders: ExperimentFolders, partial: str | None = None
) -> Command:
    """Run a step and write its result.

    Args:
        step_run: The step.
        folders: Of its experiment.
        partial: Of `train`: name of the partial checkpoint to go on from.
    """
    added = {"partial": partial} if step_run.step == "train" else {}
    return {
        "do": "step",
        "step": step_run.step,
        "payload": {
            **step_run.payload,
            **added,
            "ckpt_dir": str(folders.experiment),
            "loop": step_run.loop,
            "seed": step_run.seed,
        },
        "args": _args(step_run.pipeline, folders, step_run.loop),
        "asked": {
            "task": step_run.task,
            "classes": step_run.classes,
            "class_names": step_run.class_names,
            "output": step_run.output,
        },
        "seeding": [step_run.seed, step_run.loop, step_run.step],
        "measured": step_run.is_measured,
        "folder": str(step_run.folder),
        "log_file": str(step_run.log_file),
        "debug": step_run.is_debugged,
    }


def state_command(scene: Scene, file: Path, folders: ExperimentFolders) -> Command:
    """Ask `state` for the record names.

    Args:
        scene: What it is for.
        file: Gets the names.
        folders: Stand in for those of an experiment.
    """
    return {
        "do": "state",
        "payload": {"ckpt_dir": str(folders.experiment)},
        "args": _args(scene.pipeline, folders, 0),
        "seeding": [0, 0, "state"],
        "file": str(file),
        "log_file": str(scene.log_file),
        "debug": scene.is_debugged,
    }


def _args(pipeline: PipelineSettings, folders: ExperimentFolders, loop: int) -> dict[str, Any]:
    """`args` of the configuration, and what hooks of the old SDKs look for in there."""
    return {
        **pipeline.args,
        "current_loop": loop,
        "cur_loop": loop,
        **folders.variables,
    }
