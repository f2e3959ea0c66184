"""A `train` from before to after: what lay in its folder, what it goes on from, what it wrote."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from alectio_agent.agent.hooks.checkpoints import Snapshot, check_trained, prepare_train
from alectio_agent.agent.hooks.partials import origin_of, stopped_at_partial, take_partial
from alectio_agent.agent.hooks.steps import StepRun
from alectio_agent.core.errors import HookInterruptedError


@dataclass(frozen=True)
class Training:
    """One run of `train`.

    Attributes:
        folder: Of the experiment's checkpoints.
        partial: Name of the partial checkpoint to go on from; None without one.
    """

    folder: Path
    job: str
    ckpt_file: str
    before: Snapshot
    partial: str | None

    @classmethod
    def begin(cls, step_run: StepRun, folder: Path) -> Self:
        """Make the folder ready.

        Args:
            step_run: The step.
            folder: Of its experiment; exists.

        Raises:
            CheckpointError: What it has to resume from is gone.
        """
        payload, partial = step_run.payload, None
        before = prepare_train(folder, payload["resume_from"], payload["ckpt_file"])
        if step_run.experiment_id:
            origin = origin_of(step_run.experiment_id, step_run.loop, payload["labeled"])
            partial = take_partial(folder, step_run.loop, origin)
        return cls(folder, step_run.job, payload["ckpt_file"], before, partial)

    def check(self, *, is_asked: bool) -> list[str]:
        """Look at what a hook that returned has written.

        Args:
            is_asked: It was asked to stop.

        Returns:
            Warnings.

        Raises:
            HookResultError: It wrote into the folder, but no checkpoint.
            HookInterruptedError: It was asked to stop, and saved a partial checkpoint alone.
        """
        if is_asked and stopped_at_partial(self.folder, self.ckpt_file):
            raise HookInterruptedError(f"{self.job} train: stopped at a checkpoint")
        warning = check_trained(self.folder, self.before, self.ckpt_file, self.job)
        return [warning] if warning else []
