"""Stands for the slot's hook process: takes time, writes files, fails, and can be cancelled."""

import gzip
import hashlib
import json
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Any

from alectio_agent.agent.hooks.checkpoints import check_trained, prepare_train
from alectio_agent.agent.hooks.environment import ExperimentFolders
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome, StepRun
from alectio_agent.core.clock import timestamp
from alectio_agent.core.errors import (
    CheckpointError,
    HookCrashedError,
    HookError,
    HookInterruptedError,
    HookRaisedError,
    HookResultError,
    HookTimeoutError,
)
from alectio_agent.core.ids import new_id
from alectio_agent.wire.protocol import JSON_MEDIA_TYPE, NDJSON_MEDIA_TYPE
from tests.simulation.hook_process import (
    HookProcess,
    checkpoint_bytes,
    read_checkpoint,
    rows_of,
)

if TYPE_CHECKING:
    from tests.simulation.life import Life

USUAL_S = {"train": (10.0, 150.0), "test": (2.0, 20.0), "infer": (2.0, 40.0)}
FAILURES: tuple[Callable[[str], HookError], ...] = (
    HookRaisedError,
    HookTimeoutError,
    HookResultError,
    CheckpointError,
    HookCrashedError,
    HookCrashedError,
)


class SimHooks:
    """Implements `jobs.slot.SlotHooks`, and what the agent calls when it stops."""

    def __init__(self, life: "Life", slot: int = 0) -> None:
        self._life = life
        self._slot = slot
        self._asked = Event()
        self._is_running = False
        self._grace_s = 0.0
        self.on_progress: Callable[..., None] = _nobody_listens

    def run(self, step_run: StepRun) -> StepOutcome:
        self._asked.clear()
        self._is_running = True
        try:
            if not step_run.is_wanted():
                raise HookInterruptedError("cancelled before it began")
            return self._run(step_run)
        finally:
            self._is_running = False

    def cancel(self, grace_s: float) -> None:
        if self._is_running:
            self._grace_s = grace_s
            self._asked.set()

    def kill(self) -> None:
        self.cancel(0.0)

    def evict_idle(self) -> float | None:
        return None

    def close(self) -> None:
        return None

    def _run(self, step_run: StepRun) -> StepOutcome:
        life, machine = self._life, self._life.machine
        folders = ExperimentFolders(step_run.pipeline.checkpoints.dir / step_run.experiment)
        folders.make()
        payload = step_run.payload
        before = None
        if step_run.step == "train":
            before = prepare_train(folders.experiment, payload["resume_from"], payload["ckpt_file"])
        process = machine.processes.start(self._slot)
        # A killed agent leaves the process to itself, as the system does.
        life.journal.add(process.pgid, 1, process.marker)
        machine.processes.release(process)
        run = new_id()
        lease = step_run.folder.name.partition(".")[0]
        told = {"lease": lease, "step": step_run.step, "run": run, "pgid": process.pgid}
        machine.note("hook starts", life=life.number, slot=self._slot, job=step_run.job, **told)
        life.world.judge.hook_starts(life, self._slot, lease, step_run.step, run, process.pgid)
        try:
            outcome = self._work(step_run, process, run, folders)
            if before is not None:
                check_trained(folders.experiment, before, payload["ckpt_file"], step_run.job)
        except HookError as error:
            machine.note("hook fails", why=type(error).__name__, **told)
            raise
        else:
            machine.note("hook ends", **told)
        finally:
            if not life.is_dead:
                machine.processes.end(process)
                life.journal.remove(process.pgid)
        return outcome

    def _work(
        self, step_run: StepRun, process: HookProcess, run: str, folders: ExperimentFolders
    ) -> StepOutcome:
        faults, clock = self._life.world.faults, self._life.machine.clock
        started_at, began_s = timestamp(clock.now()), clock.monotonic()
        takes_s = faults.between(*USUAL_S[step_run.step])
        if faults.happens("slow hook", 0.05):
            takes_s *= 10
        train = self._train_of(step_run, folders, run)
        failure = None
        if faults.happens("hook fails", faults.rates.hook):
            failure = faults.rng.choice(FAILURES)
            takes_s *= faults.rng.random()
        self._write_checkpoint(step_run, process, folders, run, takes_s)
        self._pass(takes_s / 2, 1)
        parts = self._parts(step_run, run, train)
        for part in parts if faults.rng.random() < 0.5 else ():
            step_run.on_part(part)
        self._pass(takes_s / 2, 2)
        if failure is not None:
            raise failure(f"{step_run.job} {step_run.step}: simulated")
        is_bulk = bool(parts)
        rows = self._rows(step_run, run, train)
        inline: dict[str, Any] | None = {"rows": rows}
        if step_run.step == "train":
            inline = {"labels": None, "hyperparams": {"run": run}}
        return StepOutcome(
            media_type=NDJSON_MEDIA_TYPE if is_bulk else JSON_MEDIA_TYPE,
            rows=len(rows),
            parts=parts,
            inline=None if is_bulk else inline,
            started_at=started_at,
            finished_at=timestamp(clock.now()),
            duration_s=clock.monotonic() - began_s,
            warnings=(),
        )

    def _train_of(self, step_run: StepRun, folders: ExperimentFolders, run: str) -> str:
        """The train run whose checkpoint this step works with."""
        if step_run.step == "train":
            resume = step_run.payload["resume_from"]
            if resume is not None and read_checkpoint(folders.experiment / resume) is None:
                raise CheckpointError(f"{resume} is gone")
            return run
        name = step_run.payload["ckpt_file"]
        found = read_checkpoint(folders.experiment / name)
        if found is None:
            lease = step_run.folder.name.partition(".")[0]
            self._life.machine.note("checkpoint gone", lease=lease, name=name)
            self._life.world.judge.checkpoint_gone(self._life.machine, lease)
            raise CheckpointError(f"{name} is gone")
        return found

    def _write_checkpoint(
        self,
        step_run: StepRun,
        process: HookProcess,
        folders: ExperimentFolders,
        run: str,
        takes_s: float,
    ) -> None:
        """By itself, in the middle of its work, whatever becomes of the agent."""
        if step_run.step != "train":
            return
        file, disk = folders.experiment / step_run.payload["ckpt_file"], self._life.machine.disk

        def write() -> None:
            if process.is_alive:
                disk.put(file, checkpoint_bytes(run), is_synced=False)

        self._life.world.scheduler.after(takes_s * 0.9, write)

    def _pass(self, seconds: float, half: int) -> None:
        clock = self._life.machine.clock
        self.on_progress(half, 2, {})
        if clock.wait(self._asked, seconds):
            clock.wait(Event(), self._life.world.faults.between(0.0, self._grace_s))
            raise HookInterruptedError("cancelled")

    def _rows(self, step_run: StepRun, run: str, train: str) -> list[list[Any]]:
        if step_run.step == "train":
            return []
        return rows_of(step_run.step, list(step_run.payload.get("unlabeled", ())), run, train)

    def _parts(self, step_run: StepRun, run: str, train: str) -> tuple[PartFile, ...]:
        if step_run.step != "infer" or self._life.world.faults.rng.random() < 0.4:
            return ()
        rows, put = self._rows(step_run, run, train), self._life.machine.disk.put
        half = len(rows) // 2 or 1
        found = []
        for number, some in enumerate(filter(None, (rows[:half], rows[half:]))):
            text = "".join(f"{json.dumps(row)}\n" for row in some)
            content = gzip.compress(text.encode(), 1, mtime=0)
            name = f"part-{number}.ndjson.gz"
            put(step_run.folder / name, content, is_synced=True)
            digest = hashlib.sha256(content).hexdigest()
            found.append(PartFile(name, digest, len(content), len(some)))
        self._life.machine.disk.sync_names(step_run.folder)  # as the child's writer ends
        return tuple(found)


def _nobody_listens(*_: object) -> None:
    return None
