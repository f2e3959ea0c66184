"""From the command line of `try` and the two files to what is tried, and where."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.hooks.trial.order import TrialOrder, trial_name
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.cli.fit import pick_pipeline
from alectio_agent.cli.settings import load_agent_file, load_experiment_file
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError, StoreBusyError, StoreError, UsageError
from alectio_agent.core.nearest import nearest
from alectio_agent.wire.experiment import ExperimentSettings

CHECKPOINTS = "checkpoints"
LABELLED_TASKS = ("classification", "multi_label", "regression")
"""Labels of these can be made up, where people give them."""


@dataclass(frozen=True)
class Wanted:
    """What the command line says.

    Attributes:
        step: Only this one; None for the whole loop.
        pipeline: None for the one that the experiment names.
        experiment: None for that of `agent.yaml`.
    """

    step: str | None
    pipeline: str | None
    experiment: Path | None
    is_debugged: bool
    is_full: bool


@dataclass(frozen=True)
class Found:
    """The files that were read."""

    settings: AgentFile
    file: Path
    experiment: ExperimentSettings
    experiment_file: Path


def read_wanted(wanted: Wanted, config: Path | None) -> Found:
    """Read `agent.yaml` and `experiment.yaml`.

    Args:
        wanted: May name the second.
        config: May name the first.

    Raises:
        ConfigError: There is none, or one has problems.
    """
    settings, file = load_agent_file(config)
    experiment_file = wanted.experiment or settings.experiment
    if experiment_file is None:
        raise ConfigError(
            f"E-TRY-01  {file} has no `experiment:`, so it is not known what is asked of the hooks "
            "(task, classes, batch)",
            hint="Name the file of one: alectio-agent try --experiment FILE",
        )
    experiment_file = experiment_file.absolute()
    experiment = load_experiment_file(experiment_file, None if wanted.experiment else file)
    return Found(settings, file, experiment, experiment_file)


def make_order(wanted: Wanted, found: Found) -> TrialOrder:
    """What to try.

    Args:
        wanted: From the command line.
        found: The files.

    Raises:
        UsageError: There is no such pipeline, or people give labels that cannot be made up.
        ConfigError: It is not clear which pipeline is meant.
    """
    experiment, settings = found.experiment, found.settings
    name = _pipeline(wanted, found)
    if experiment.labels.are_asked_for and experiment.task not in LABELLED_TASKS:
        raise UsageError(
            f"{found.experiment_file}: people give the labels, and `try` cannot make up any for "
            f"task {experiment.task}",
            hint='Try the hooks with labels: {kind: known}, so that payload["labels"] is None.',
            code="E-TRY-01",
        )
    folder = settings.agent.state_dir / "try"
    pipeline = settings.pipelines[name]
    checkpoints = pipeline.checkpoints.model_copy(update={"dir": folder / CHECKPOINTS})
    return TrialOrder(
        pipeline_name=name,
        pipeline=pipeline.model_copy(update={"checkpoints": checkpoints}),
        experiment=trial_name(experiment.name),
        task=experiment.task,
        classes=experiment.class_count,
        class_names=experiment.class_names,
        output=experiment.output_kind,
        seed=experiment.seed,
        batch=experiment.batch_of(0),
        folder=folder,
        ignored=(
            settings.agent.state_dir, pipeline.checkpoints.dir, found.file.parent / "results",
        ),
        is_debugged=wanted.is_debugged,
        is_full=wanted.is_full,
        needs_labels=experiment.labels.are_asked_for,
    )  # fmt: skip


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Make the folder of `try`, and keep another `try` out; a running agent is not concerned.

    Args:
        folder: Below the agent's state folder.

    Raises:
        StoreBusyError: Another `try` works in it.
        StoreError: It cannot be made.
    """
    disk = SystemDisk()
    for made in (folder.parent, folder):
        disk.make_folder(made)
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    try:
        _lock(opened, folder)
        yield
    finally:
        os.close(opened)


def _lock(opened: int, folder: Path) -> None:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreBusyError(
            f"{folder}: another `alectio-agent try` works in this folder",
            hint="Wait for its end, or stop it.",
        ) from error


def clear_folder(order: TrialOrder, *, keeps_checkpoint: bool) -> None:
    """Remove what the last `try` left.

    Args:
        order: Names the folder.
        keeps_checkpoint: The checkpoint of its first experiment stays.

    Raises:
        StoreError: Something cannot be removed.
    """
    disk, checkpoints = SystemDisk(), order.folder / CHECKPOINTS
    kept = {checkpoints, checkpoints / order.experiment} if keeps_checkpoint else set()
    inside = [order.folder, *([checkpoints] if checkpoints.is_dir() else [])]
    try:
        old = [path for folder in inside for path in folder.iterdir() if path not in kept]
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error
    for path in old:
        disk.remove(path)


def _pipeline(wanted: Wanted, found: Found) -> str:
    known = found.settings.pipelines
    if wanted.pipeline is None:
        return pick_pipeline(found.experiment_file, found.experiment, known)
    if wanted.pipeline in known:
        return wanted.pipeline
    near = nearest(wanted.pipeline, known)
    mend = f". Did you mean `{near}`?" if near else ""
    raise UsageError(
        f"--pipeline: found '{wanted.pipeline}', expected a pipeline of {found.file}: "
        f"{', '.join(sorted(known))}{mend}"
    )
