"""Sends parts of results beside their messages: several at once, some before the step is done."""

from collections.abc import Callable

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.jobs.line import Line
from alectio_agent.agent.jobs.part_queue import OutPart, PartQueue, missing_parts
from alectio_agent.agent.jobs.part_worker import PartWorker
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import PlatformRejectedError

IN_FLIGHT = 3


class PartCourier:
    """What jobs and the sender see of it; may be called from any thread.

    It keeps nothing that the disk does not hold: after a restart the sender wants the parts of
    each commit again, and the platform is asked what it has of them.
    """

    def __init__(self, client: PlatformClient, outbox: Outbox, clock: Clock) -> None:
        """Start with nothing to send.

        Args:
            client: Of all workers.
            outbox: Holds the files.
            clock: Tells how quick the line is.
        """
        self._outbox = outbox
        self._queue = PartQueue()
        line = Line()
        self.workers = tuple(
            PartWorker(self._queue, line, client, clock, self._tell) for _ in range(IN_FLIGHT)
        )
        self.on_landed: Callable[[], None] = _nobody_waits
        self.on_work: Callable[[PartWorker], None] = _wake

    def offer(self, part: OutPart) -> None:
        """Send a part of a step that is not complete yet; nobody waits for it.

        Args:
            part: Durable, and never sent before.
        """
        self._queue.offer(part)
        self._call_workers()

    def want(self, manifest: Manifest) -> bool:
        """Send what has not arrived of the parts of a complete result.

        Args:
            manifest: Of the result.

        Returns:
            Whether all have arrived; if not, `on_landed` is called when it is time to ask again.

        Raises:
            PlatformError: One could not be sent; it is tried again when it is wanted again.
        """
        are_there = self._queue.want(_out_parts(manifest, self._outbox))
        self._call_workers()
        return are_there

    def settle(self, manifest: Manifest) -> None:
        """Forget parts that an accepted commit names."""
        self._queue.settle((manifest.lease, part.sha256) for part in manifest.commit.parts)

    def forget(self, lease: str) -> None:
        """Send nothing more for an attempt before it is wanted again; who waits is not told."""
        self._queue.forget(lease)

    def mark_missing(self, lease: str, error: PlatformRejectedError) -> None:
        """Parts that arrived are gone: a hub that was restored from a backup has lost them.

        Args:
            lease: Of the attempt.
            error: The `parts-missing` that says which, and how much is there.
        """
        self._queue.mark_missing(lease, missing_parts(error))

    def _call_workers(self) -> None:
        for worker in self.workers[: self._queue.in_hand]:
            self.on_work(worker)

    def _tell(self) -> None:
        self.on_landed()


def _out_parts(manifest: Manifest, outbox: Outbox) -> list[OutPart]:
    folder = outbox.result_folder(manifest.lease, manifest.step)
    return [
        OutPart(
            manifest.job_id,
            manifest.lease,
            part.sha256,
            folder / name,
            part.bytes,
            manifest.step,
            manifest.job,
        )
        for part, name in zip(manifest.commit.parts, manifest.files, strict=True)
    ]


def _nobody_waits() -> None:
    """Before a sender is there."""


def _wake(worker: PartWorker) -> None:
    worker.wake.set()
