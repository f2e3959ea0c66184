"""Runs single steps for a trial, in the folder of `try`."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.checkpoints import checkpoint_bytes
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.hooks.steps import StepOutcome, StepRun
from alectio_agent.agent.hooks.trial.order import TrialOrder, made_up_labels
from alectio_agent.agent.hooks.trial.rows import Rows, read_rows

AGAIN = "Mend it, then: alectio-agent try"


@dataclass(frozen=True)
class Ran:
    """A step that gave a result.

    Attributes:
        rows: Of `test` and `infer`.
    """

    outcome: StepOutcome
    rows: Rows


class TrialBench:
    """Keeps one hook process, as a slot of the agent does."""

    def __init__(self, order: TrialOrder, slot: HookSlot) -> None:
        """Start without a process.

        Args:
            order: What is tried.
            slot: Runs the steps.
        """
        self.order = order
        self._slot = slot
        self._count = 0

    def look(self) -> HookInspection:
        """Load the hooks in a new process, which the next step finds warm."""
        return self._slot.look(self._step("train", {}, 0), self.order.folder / "names")

    def train(
        self, labeled: list[int], *, loop: int = 0, experiment: str = "", in_warm: bool = False
    ) -> Ran:
        """Run `train`; loop 0 starts from nothing, loop 1 from the checkpoint of loop 0.

        Args:
            labeled: Samples.
            loop: 0 or 1.
            experiment: Another one than the first.
            in_warm: Even loop 0 runs in the process at hand.
        """
        resume_from = self.checkpoint(loop - 1) if loop else None
        labels = made_up_labels(self.order, labeled)
        payload = {"resume_from": resume_from, "labeled": labeled, "labels": labels}
        step = self._step("train", payload, loop)
        return self._run(self._of(step, experiment), in_warm=in_warm)

    def test(self, *, experiment: str = "") -> Ran:
        """Run `test` on the checkpoint of loop 0.

        Args:
            experiment: Another one than the first.
        """
        return self._run(self._of(self._step("test", {}, 0), experiment))

    def infer(self, unlabeled: list[int], seed: int) -> Ran:
        """Run `infer` on the checkpoint of loop 0.

        Args:
            unlabeled: Samples.
            seed: What chance is drawn from.
        """
        return self._run(replace(self._step("infer", {"unlabeled": unlabeled}, 0), seed=seed))

    def refresh(self) -> None:
        """Let the next step run in a new process."""
        self._slot.refresh()

    def checkpoint(self, loop: int) -> str:
        """The name of a checkpoint of the first experiment."""
        return f"{self.order.experiment}-ckpt_{loop}"

    def checkpoint_bytes(self, loop: int) -> int | None:
        """Its size; None when nothing lies under its name."""
        folder = self.order.pipeline.checkpoints.dir / self.order.experiment
        return checkpoint_bytes(folder, self.checkpoint(loop))

    def _run(self, step_run: StepRun, *, in_warm: bool = False) -> Ran:
        outcome = self._slot.run(replace(step_run, in_warm=in_warm))
        rows = {} if step_run.step == "train" else read_rows(outcome, step_run.folder)
        return Ran(outcome, rows)

    def _of(self, step_run: StepRun, experiment: str) -> StepRun:
        """The same step for another experiment."""
        if not experiment:
            return step_run
        ckpt_file = f"{experiment}-ckpt_{step_run.loop}"
        payload = {**step_run.payload, "ckpt_file": ckpt_file}
        return replace(step_run, experiment=experiment, payload=payload)

    def _step(self, step: str, payload: dict[str, Any], loop: int) -> StepRun:
        order = self.order
        return StepRun(
            pipeline_name=order.pipeline_name,
            pipeline=order.pipeline,
            experiment=order.experiment,
            job="try",
            loop=loop,
            loops=2,
            seed=order.seed,
            step=step,
            payload={"ckpt_file": self.checkpoint(loop), **payload},
            task=order.task,
            classes=order.classes,
            class_names=order.class_names,
            output=order.output,
            folder=self._result_folder(step),
            log_file=order.log_file,
            is_debugged=order.is_debugged,
            again=AGAIN,
        )

    def _result_folder(self, step: str) -> Path:
        self._count += 1
        folder = self.order.folder / "results" / f"{self._count}-{step}"
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder
