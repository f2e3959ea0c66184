"""Delivers results and failures, oldest first, for as long as it takes."""

import logging
import threading
from collections.abc import Callable, Sequence

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.verdicts import rule, what_is
from alectio_agent.agent.jobs.carried import Ended, Verdict, note_verdicts
from alectio_agent.agent.jobs.counters import Counters
from alectio_agent.agent.jobs.disk_trouble import DiskTrouble
from alectio_agent.agent.jobs.events import Tell, tell_failed, tell_nobody
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.rows import Message
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import (
    LeaseLostError,
    PlatformError,
    PlatformRejectedError,
    StoreUnavailableError,
)
from alectio_agent.core.log import job_logger
from alectio_agent.wire.results import JobFailure

log = logging.getLogger(__name__)

IDLE_S = 3600.0
RESULTS = "the delivery of results"


class Sender:
    """A step object: one turn delivers one message."""

    def __init__(
        self,
        client: PlatformClient,
        journal: Journal,
        parts: PartCourier,
        heartbeats: Heartbeats,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        """Bind it to what it reads and where it sends.

        Args:
            client: On a connection of its own.
            journal: Holds the messages.
            parts: Sends the parts that a commit names, before it.
            heartbeats: Leases are released when their last message is settled.
            clock: For the time of what it reports.
            backoff: Of deliveries.
        """
        self._client = client
        self._journal = journal
        self._parts = parts
        parts.on_landed = self._look_again
        self._heartbeats = heartbeats
        self._clock = clock
        self._backoff = backoff
        self._platform_id: str | None = None
        self._missed_by: int | None = None
        self._accepted: int | None = None
        self.on_fatal: Callable[[PlatformError], None] = _raise
        self.confirm: Callable[[], None] = _believe
        self.quota = Quota()
        self.tell: Tell = tell_nobody
        self.counters = Counters()
        self.disk_trouble = DiskTrouble()
        self.on_closed: Callable[[], None] = _nothing
        self.wake = threading.Event()

    @property
    def is_failing(self) -> bool:
        """Whether the last delivery did not arrive, or could not be noted down."""
        return self._backoff.failures > 0 or self.disk_trouble.is_met_by(RESULTS)

    @property
    def trouble(self) -> str:
        """Why nothing arrives, after three failures in a row; empty before."""
        return self._backoff.trouble

    @property
    def is_idle(self) -> bool:
        """Whether nothing can be delivered to the platform that is registered with."""
        return self._platform_id is None or self._journal.next_message(self._platform_id) is None

    @property
    def platform_id(self) -> str | None:
        """The platform that is delivered to; None before it was registered with."""
        return self._platform_id

    def retry(self, job: str | None) -> int:
        """Deliver at once what waits, and what was refused once more; from any thread.

        Args:
            job: The one whose refused results go again; None for all.

        Returns:
            How many refused ones go again.
        """
        count = self._journal.by_hand.retry(job)
        self.wake.set()
        return count

    def take_verdicts(self, platform_id: str, verdicts: Sequence[Verdict]) -> int:
        """Note what a platform said of results that were carried to it; from any thread.

        Args:
            platform_id: Of that platform.
            verdicts: What it said.

        Returns:
            How many were news.
        """
        return note_verdicts(self._journal, platform_id, verdicts, self._carried)

    def _carried(self, ended: Ended) -> None:
        if not ended.is_closed:
            return
        self._parts.forget(ended.lease)
        if ended.is_lost:
            self._heartbeats.end(ended.lease, ended.reason)
        self._heartbeats.release(ended.lease)
        self.on_closed()

    def set_platform(self, platform_id: str) -> None:
        """Deliver to this platform only; messages for another one are kept."""
        self._platform_id = platform_id
        self.wake.set()

    def step(self) -> float:
        """Deliver the oldest message, once all parts that it names have arrived.

        Returns:
            Seconds to wait: 0 when there may be more.
        """
        try:
            wait_s = self._turn()
        except StoreUnavailableError as error:
            # It is pending still. What the platform said is remembered, or asked for once more.
            return self.disk_trouble.met(RESULTS, error, after_work=True)
        self.disk_trouble.over(RESULTS)
        return wait_s

    def _turn(self) -> float:
        if self._platform_id is None:
            return IDLE_S
        message = self._journal.next_message(self._platform_id)
        if message is None:
            return IDLE_S
        try:
            if self._accepted != message.id and not self._send_confirmed(message):
                return IDLE_S  # woken when its parts have arrived, or one has not
            self._accepted = message.id
            self._settle(message)
        except PlatformError as error:
            return self._failed(message, error)
        self._backoff.succeeded()
        return 0.0

    def _send_confirmed(self, message: Message) -> bool:
        """As `_send`; a lost lease is believed only once it is known who says so."""
        try:
            return self._send(message)
        except LeaseLostError:
            self.confirm()
            raise

    def _send(self, message: Message) -> bool:
        """Send a message; False when its parts are still under way."""
        if message.kind == "fail":
            failure = JobFailure.model_validate_json(message.body)
            self._client.fail(message.job_id, message.lease, failure)
            # Handing a job back is no failure: a person who stops the agent need not read of it.
            is_news = failure.failure_class != "interrupted"
            told = (logging.INFO if is_news else logging.DEBUG, "the platform knows of the failure")
        else:
            manifest = Manifest.model_validate_json(message.body)
            if not self._commit(message, manifest):
                return False
            self._parts.settle(manifest)
            told = (logging.DEBUG, f"{message.step} delivered")
        self._logger(message).log(*told)
        return True

    def _settle(self, message: Message) -> None:
        """Note that the platform has it; while the disk refuses that, nothing is sent again."""
        is_closed = self._journal.settle(message)
        if message.kind == "commit":
            self.counters.results.add("delivered")
        if is_closed:
            self._parts.forget(message.lease)
            self._heartbeats.release(message.lease)
            self.on_closed()

    def _commit(self, message: Message, manifest: Manifest) -> bool:
        """Send a commit behind its parts; False while they are under way."""
        closed: LeaseLostError | None = None
        try:
            if manifest.files and not self._parts.want(manifest):
                return False
        except LeaseLostError as error:
            # A closed job takes no parts, but may have been closed by this very commit.
            if error.problem != "job-closed":
                raise
            closed = error
        try:
            self._client.commit(message.job_id, manifest.step, message.lease, manifest.commit)
        except PlatformRejectedError as error:
            if closed is not None and error.problem == "parts-missing":
                raise closed from error
            raise
        return True

    def _is_missing_again(self, message: Message, error: PlatformError) -> bool:
        """Whether parts of a message were missed before: then sending them at once is no help."""
        assert isinstance(error, PlatformRejectedError)  # noqa: S101 - the table of rules says so
        self._parts.mark_missing(message.lease, error)
        is_again, self._missed_by = self._missed_by == message.id, message.id
        return is_again

    def _failed(self, message: Message, error: PlatformError) -> float:
        """Do what the table of rules says; seconds to wait before the next turn."""
        action = rule("deliver", error)
        if action == "end":
            self.on_fatal(error)
        if action in ("end", "slow"):
            return self._later(message, error, self._backoff.refused(error))
        if action == "retry" or (action == "resend" and self._is_missing_again(message, error)):
            return self._later(message, error, self._backoff.failed(error))
        if action == "supersede":
            self._supersede(message, error.message)
        elif action != "resend":
            self._park(message, f"{what_is(error)}: {error.message}")
        self._backoff.succeeded()
        return 0.0

    def _park(self, message: Message, reason: str) -> None:
        self._logger(message).error("%s refused for good: %s", message.kind, reason)
        self.quota.note_end(message.job, is_done=False)
        self._parts.forget(message.lease)
        if message.kind == "commit":
            count = self._journal.results_pending(message.lease)
            self._journal.reject(message, reason, self._rejected(message, reason))
            self.counters.jobs.add("rejected")
            self.counters.results.add("parked", count)
            tell_failed(self.tell, message.job, message.step, "rejected", reason)
        elif self._journal.park(message, reason):
            self._heartbeats.release(message.lease)

    def _rejected(self, message: Message, reason: str) -> JobFailure:
        told = f"the platform refused the result of {message.step}: {reason}"
        return JobFailure.of("rejected", told, timestamp(self._clock.now()), step=message.step)

    def _supersede(self, message: Message, reason: str) -> None:
        self._logger(message).warning("%s superseded: %s", message.step or message.kind, reason)
        self._parts.forget(message.lease)
        count = self._journal.results_pending(message.lease)
        self._journal.supersede(message.lease, reason)
        self.counters.results.add("superseded", count)
        self._heartbeats.end(message.lease, reason)

    def _later(self, message: Message, error: Exception, wait_s: float) -> float:
        if self._backoff.is_news:
            self._logger(message).warning(
                "%s not delivered yet, kept and tried again: %s",
                message.step or message.kind,
                error,
            )
        return wait_s

    def _look_again(self) -> None:
        self.wake.set()

    def _logger(self, message: Message) -> logging.LoggerAdapter[logging.Logger]:
        attempt = self._heartbeats.attempt_at(message.lease)
        return job_logger(log, message.job, attempt, message.step)


def _believe() -> None:
    """Nobody knows better."""


def _nothing() -> None:
    """Nobody wants to know."""


def _raise(error: PlatformError) -> None:
    raise error
