"""One job on this agent: first heartbeat, then step after step until all results are durable."""

import logging
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome, StepRun
from alectio_agent.agent.hooks.stopping import CANCEL_GRACE_S
from alectio_agent.agent.jobs.counters import DONE, LOST
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.events import tell_failed
from alectio_agent.agent.jobs.heartbeats import Ending
from alectio_agent.agent.jobs.job_checkpoints import JobCheckpoints
from alectio_agent.agent.jobs.job_reports import JobReports
from alectio_agent.agent.jobs.orders import Order, open_orders
from alectio_agent.agent.jobs.owed import Owed
from alectio_agent.agent.jobs.part_queue import OutPart
from alectio_agent.agent.jobs.step_marks import StepMarks
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import (
    HookError,
    HookInterruptedError,
    LeaseLostError,
    PlatformError,
    StoreError,
    StoreUnavailableError,
)
from alectio_agent.core.log import JobLogger, about, job_logger
from alectio_agent.core.units import format_duration
from alectio_agent.wire.claims import Claim, Step
from alectio_agent.wire.results import JobFailure

log = logging.getLogger(__name__)


class StepRunner(Protocol):
    """The slot's hook process as a job needs it."""

    def run(self, step_run: StepRun) -> StepOutcome:
        """Run one step to its end; HookError when there is no result."""

    def cancel(self, grace_s: float) -> None:
        """End the running step from another thread."""

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody wanted the step ended, since it began."""


class JobRun:
    """A step object: one turn is the first heartbeat, or one step of the job."""

    def __init__(self, claim: Claim, platform_id: str, desk: Desk, hooks: StepRunner) -> None:
        """Take up a job that is in the journal.

        `is_done` is set when all results are durable, `has_failed` when a hook gave none; `marks`
        tells how far it is, `log_file` holds what its hooks print.

        Args:
            claim: As journalled; its samples are kept only until their step has run.
            platform_id: Of the platform that gave it.
            desk: What the job works with.
            hooks: Runs the steps.
        """
        self.claim = claim.without_samples()
        self._platform_id = platform_id
        self._desk = desk
        self._hooks = hooks
        self._log = job_logger(log, claim.job, claim.attempt)
        self.log_file = desk.log_file(claim)
        self._reports = JobReports(self.claim, platform_id, desk)
        self._backoff = Backoff(desk.rng)
        done = desk.journal.steps_done(claim.lease)
        self._orders = open_orders(claim, done)
        self.marks = StepMarks([order.step for order in claim.steps], done)
        self.began_s = desk.clock.monotonic()
        self._is_announced = False
        self._ending: tuple[Ending, str] | None = None
        self._is_over = False
        self._owed = Owed()
        self._begun: Step | None = None
        self.is_done = self.has_failed = False

    @property
    def now_s(self) -> float:
        """The time, by the clock that `began_s` is of."""
        return self._desk.clock.monotonic()

    def step(self) -> float | None:
        """Do the next thing.

        Returns:
            Seconds to wait before the next turn, None when the job needs no further one.
        """
        with about(self.claim.job, self.claim.attempt, self._next_step):
            return self._step()

    def _step(self) -> float | None:
        try:
            self._owed.settle()
            wait_s = None if self._is_over else self._turn()
        except StoreUnavailableError as error:
            wait_s = self._wait_for_disk(error)
        else:
            self._desk.disk_trouble.over(self.claim.job)
        if wait_s is None:
            self._desk.logs.end(self.claim.lease)
        return wait_s

    def _wait_for_disk(self, error: StoreUnavailableError) -> float | None:
        """Do the same again later: a step is not begun, and a result is kept, whatever it takes.

        A stop waits for a result as for a running step, until it is to be cancelled. For all else
        it does not: the job is in the journal as it was, and the next start goes on from there.
        """
        trouble, job = self._desk.disk_trouble, self.claim.job
        is_worth_it = self._owed.holds_result and not self._hooks.was_cancelled
        if self._desk.leaving.is_set() and not is_worth_it:
            lost = f", and the result of {self._begun} is lost" if self._owed.holds_result else ""
            self._log.warning("left as it was for the next start%s: %s", lost, error.message)
            trouble.over(job)
            return None
        return trouble.met(job, error, after_work=bool(self._owed))

    def _turn(self) -> float | None:
        if self._ending is not None:
            self._close()
            return None
        if self._desk.leaving.is_set():
            self.hand_back("the agent was stopped before this step")
            return None
        if not self._is_announced:
            if self._desk.is_paused():
                # It came while the pause began, or an earlier life of the agent left it.
                self.hand_back("the agent is paused")
                return None
            if not self._desk.heartbeats.serves(self._platform_id):
                return None  # it stays in the journal until its platform answers again
            return self._announce()
        return self._run(self._orders[0])

    def end(self, ending: Ending, reason: str) -> None:
        """Stop the hook: the platform ended the lease. Called from another thread.

        When all steps are done already, the slot may run another job: its hook goes on, and what
        a cancelled job computed is still delivered.
        """
        if not self._is_over:
            self._ending = (ending, reason)
            self._hooks.cancel(CANCEL_GRACE_S)
        elif ending == "lost":
            self._supersede(reason)

    def note_progress(
        self, done: float | None, total: float | None, numbers: dict[str, float]
    ) -> None:
        """Remember how far its running hook says it is."""
        self._desk.heartbeats.note_progress(self.claim.lease, done, total, numbers)

    def _announce(self) -> float | None:
        try:
            cancel = self._desk.heartbeats.first_beat(self.claim)
        except LeaseLostError as error:
            self._ending = ("lost", error.message)
            return 0.0
        except PlatformError as error:
            self._desk.heartbeats.notice(error)
            self._desk.counters.retries.add("heartbeats")
            wait_s = self._backoff.failed(error, most_s=self._desk.heartbeats.longest_retry_s)
            if self._backoff.is_news:
                self._log.warning("waits for its first heartbeat: %s", error.message)
            return wait_s
        self._is_announced = True
        self._desk.heartbeats.hold(self.claim, self.end)
        self._desk.logs.follow(self.claim, self.log_file)
        if cancel is not None:
            self._ending = ("cancelled", cancel)
        return 0.0

    def _run(self, order: Order) -> float | None:
        step_run = self._step_run(order)
        self._begin(order.step)
        try:
            outcome = self._hooks.run(step_run)
        except HookInterruptedError as error:
            self._clear(order.step)
            if self._ending is not None:
                return 0.0
            self.hand_back(error.message)
            return None
        except HookError as error:
            self._clear(order.step)
            self._fail(order.step, error)
            return None
        self._complete(order, outcome)
        return 0.0 if self._orders else None

    def _begin(self, step: Step) -> None:
        """Say that a step runs; once, also when its process finds no room to start in."""
        if self._begun == step:
            return
        self._begun = step
        self._desk.heartbeats.note(self.claim.lease, step)
        self.marks.begin(step, self._desk.clock.monotonic())
        self._desk.begun.set()
        self._log_of(step).info("%s started", step)

    def _step_run(self, order: Order) -> StepRun:
        claim = self.claim
        folder = self._desk.outbox.open_result(claim.lease, order.step)
        return StepRun(
            pipeline_name=claim.pipeline,
            pipeline=self._pipeline,
            experiment=claim.experiment,
            experiment_id=claim.experiment_id,
            job=claim.job,
            loop=claim.loop,
            loops=claim.loops,
            seed=claim.seed,
            step=order.step,
            payload=order.payload,
            task=claim.task,
            classes=claim.classes,
            class_names=claim.class_names,
            output=claim.output,
            folder=folder,
            log_file=self.log_file,
            on_part=partial(self._offer, folder, order.step),
            on_wait=partial(self._desk.disk_trouble.met, claim.job),
            is_measured=self._desk.is_measured,
            is_wanted=lambda: self._ending is None and not self._desk.leaving.is_set(),
        )

    def _offer(self, folder: Path, step: Step, part: PartFile) -> None:
        """Let a part leave before its step is done: the one way by which any does."""
        claim = self.claim
        if not self._desk.heartbeats.serves(self._platform_id):
            return  # another platform answers now
        self._desk.disk_trouble.over(claim.job)
        file = folder / part.file
        found = OutPart(claim.job_id, claim.lease, part.sha256, file, part.bytes, step, claim.job)
        self._desk.parts.offer(found)

    def _clear(self, step: Step) -> None:
        """Remove what a step has left that gave no result: nobody will ask for it.

        Parts that an earlier commit names are wanted again.
        """
        self._desk.parts.forget(self.claim.lease)
        with suppress(StoreError):  # the next start removes it
            self._desk.outbox.remove(self.claim.lease, step)

    def _complete(self, order: Order, outcome: StepOutcome) -> None:
        """Make the result durable, in the order that loses nothing; then let it be sent."""
        manifest, is_last = self._reports.manifest(order.step, outcome), len(self._orders) == 1
        checkpoint = [self._checkpoints.sync] if order.step == "train" else []
        self._owed.add(
            *checkpoint,
            partial(self._desk.outbox.complete, manifest),
            partial(self._desk.journal.put_commit, manifest, is_last=is_last),
            partial(self._go_on, order, outcome),
            is_result=True,
        )

    def _go_on(self, order: Order, outcome: StepOutcome) -> None:
        """The result is durable: it may leave, and the next step may begin."""
        self._orders.pop(0)
        self.marks.end(order.step, outcome.duration_s)
        self._desk.counters.note_step(self.claim, order.step, outcome)
        if not self._orders:
            self._desk.counters.jobs.add(DONE)
            self._is_over = self.is_done = True
            self._desk.heartbeats.deliver(self.claim.lease)
        self._desk.delivery.set()
        for warning in outcome.warnings:
            if self._desk.told.is_new(self.claim.experiment, order.step, warning):
                self._log_of(order.step).warning("%s: %s", order.step, warning)
        self._log_of(order.step).info(
            "%s done in %s", order.step, format_duration(outcome.duration_s)
        )
        if order.step == "train":
            self._checkpoints.prune(order.payload)

    @property
    def _next_step(self) -> Step | None:
        """The step that this turn is about; None before the first heartbeat, and at the end."""
        return self._orders[0].step if self._is_announced and self._orders else None

    def _log_of(self, step: Step) -> JobLogger:
        return job_logger(log, self.claim.job, self.claim.attempt, step)

    @cached_property
    def _pipeline(self) -> PipelineSettings:
        return self._desk.pipelines[self.claim.pipeline]

    @cached_property
    def _checkpoints(self) -> JobCheckpoints:
        return JobCheckpoints(self.claim, self._pipeline.checkpoints, self._desk.disk, self._log)

    def _fail(self, step: Step, error: HookError) -> None:
        self.has_failed = True
        self.marks.end(step, None)
        self._log_of(step).error("%s failed: %s", step, error)
        self._put_failure(step, error.failure_class, str(error), error.traceback)
        tell_failed(self._desk.tell, self.claim.job, step, error.failure_class, str(error))

    def hand_back(self, reason: str) -> None:
        """Give the job back to the platform: it may go to another agent.

        Args:
            reason: Why, for people.
        """
        step = self._orders[0].step if self._orders else None
        self._put_failure(step, "interrupted", reason, "")

    def _close(self) -> None:
        assert self._ending is not None  # noqa: S101 - only step() calls this, after looking
        ending, reason = self._ending
        if ending == "cancelled":
            self._log.warning("cancelled: %s", reason)
            step = self._orders[0].step if self._orders else None
            self._put_failure(step, "cancelled", reason, "")
            return
        self._desk.counters.jobs.add(LOST)
        self._log.warning("lease lost, results are kept as superseded: %s", reason)
        self._is_over = True
        release = partial(self._desk.heartbeats.release, self.claim.lease)
        self._owed.add(partial(self._supersede, reason), release)

    def _supersede(self, reason: str) -> None:
        count = self._desk.journal.results_pending(self.claim.lease)
        self._desk.journal.supersede(self.claim.lease, reason)
        self._desk.counters.results.add("superseded", count)
        self._desk.parts.forget(self.claim.lease)
        self._desk.delivery.set()  # it may wait for one of those parts

    def _put_failure(self, step: Step | None, name: str, message: str, traceback: str) -> None:
        self._is_over = True
        is_partial = step == "train" and name != "cancelled"
        kept = self._checkpoints.keep_partial() if is_partial else None
        failure = self._reports.failure(step, name, message, traceback, kept)
        self._owed.add(
            partial(self._queue, failure, message),
            partial(self._desk.heartbeats.deliver, self.claim.lease),
            self._desk.delivery.set,
        )

    def _queue(self, failure: JobFailure, message: str) -> None:
        """Only then is it known whether the job was this agent's to hand back."""
        if not self._desk.journal.put_failure(self.claim.lease, failure):
            self._desk.counters.jobs.add(LOST)
            self._log.warning("lease lost before; the platform is not told: %s", message)
            return
        self._desk.counters.jobs.add(failure.failure_class)
        if failure.failure_class == "interrupted":
            self._log.info("handed back to the platform: %s", message)
