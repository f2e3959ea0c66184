"""Real hook processes for tests: a file of hooks, a slot, and steps to run in it."""

import os
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.oom import OomWitness
from alectio_agent.agent.hooks.runner import HookSlot, StepOutcome, StepRun
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import Clock, SystemClock

HOOKS = """
import os
from pathlib import Path

def train(payload):
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text("weights")

def test(payload):
    return {"predictions": [0, 1, 1], "labels": [0, 1, 0]}

def infer(payload):
    return {"outputs": {index: [0.5, -1.0] for index in payload["unlabeled"]}}
"""

# A grandchild that ignores TERM, while its parent waits for ever.
STUBBORN = """
import os, signal, subprocess, sys
from alectio_agent import progress

CODE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
       "print('deaf', flush=True); signal.pause()"

def grandchild():
    child = subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE)
    child.stdout.readline()
    return child.pid
"""

HANGING = HOOKS.replace(
    "def test(payload):",
    "def test(payload):\n    pid = grandchild()\n    progress(1, 2, pid=pid)\n    signal.pause()",
)


class RememberedGroups:
    """Implements `hooks.groups.Groups` in memory."""

    def __init__(self) -> None:
        self.living: dict[int, tuple[int, str]] = {}
        self.count = 0

    def add(self, pgid: int, start_time: int, marker: str) -> None:
        self.living[pgid] = (start_time, marker)
        self.count += 1

    def remove(self, pgid: int) -> None:
        del self.living[pgid]


class HookBench:
    """A slot and a pipeline in one folder."""

    def __init__(
        self,
        folder: Path,
        clock: Clock | None = None,
        witness: OomWitness | None = None,
        **environment: str,
    ) -> None:
        self.folder = folder
        self.groups = RememberedGroups()
        self.progress: list[tuple[Any, Any, dict[str, float]]] = []
        self.on_progress: Any = None
        self.slot = HookSlot(
            clock or SystemClock(),
            self.groups,
            {**os.environ, **environment},
            self._note_progress,
            witness=witness,
        )
        self._runs = 0

    def close(self) -> None:
        self.slot.close()

    def pipeline(
        self, hooks: str = HOOKS, name: str = "processes", **keys: Any
    ) -> PipelineSettings:
        """A pipeline whose hooks' file is written here."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        file = home / f"{name}.py"
        file.write_text(hooks)
        settings = {"hooks": file, "cwd": home, "checkpoints": {"dir": home / "checkpoints"}}
        return PipelineSettings(**{**settings, **keys})

    def step(self, pipeline: PipelineSettings, step: str = "train", **changed: Any) -> StepRun:
        """A step of loop 1 that goes on from loop 0."""
        experiment, loop = changed.pop("experiment", "toy"), changed.pop("loop", 1)
        payload: dict[str, Any] = {"ckpt_file": f"{experiment}-ckpt_{loop}"}
        if step == "train":
            payload["resume_from"] = f"{experiment}-ckpt_{loop - 1}" if loop else None
            payload["labeled"] = [1, 2]
        if step == "infer":
            payload["unlabeled"] = [4, 8, 15]
        payload.update(changed.pop("payload", {}))
        self._runs += 1
        folder = self.folder / f"result-{self._runs}"
        folder.mkdir()
        return StepRun(
            **{
                "pipeline_name": "toy",
                "pipeline": pipeline,
                "experiment": experiment,
                "job": f"{experiment}/{loop}",
                "loop": loop,
                "loops": 10,
                "seed": 7,
                "step": step,
                "payload": payload,
                "task": "classification",
                "classes": 2,
                "class_names": None,
                "output": "logits",
                "folder": folder,
                "log_file": self.folder / "job.log",
                **changed,
            }
        )

    def run(self, pipeline: PipelineSettings, step: str = "train", **changed: Any) -> StepOutcome:
        """Run a step to its end."""
        return self.slot.run(self.step(pipeline, step, **changed))

    def log(self) -> str:
        """What the hooks printed."""
        return (self.folder / "job.log").read_text()

    def _note_progress(self, done: Any, total: Any, numbers: dict[str, float]) -> None:
        self.progress.append((done, total, numbers))
        if self.on_progress is not None:
            self.on_progress(done, total, numbers)
