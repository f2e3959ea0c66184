"""Sends one part after the other, each from where the platform has it to its end."""

import hashlib
import logging
import threading
from collections.abc import Callable

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.jobs.line import Line
from alectio_agent.agent.jobs.part_queue import OutPart, PartQueue, missing_parts
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import (
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
)
from alectio_agent.core.log import job_logger
from alectio_agent.wire.slices import SMALLEST_SLICE_BYTES

log = logging.getLogger(__name__)

IDLE_S = 3600.0
TOO_LARGE = 413


class PartWorker:
    """A step object: one turn sends one part, as far as the line lets it."""

    def __init__(
        self,
        queue: PartQueue,
        line: Line,
        client: PlatformClient,
        clock: Clock,
        on_landed: Callable[[], None],
    ) -> None:
        """Start without a part.

        Args:
            queue: Where parts come from, shared with the other workers.
            line: The same for all workers.
            client: Each thread has a connection of its own in it.
            clock: Tells how quick the line is.
            on_landed: Called when somebody who waits for parts should look again.
        """
        self._queue = queue
        self._line = line
        self._client = client
        self._clock = clock
        self._on_landed = on_landed
        self.wake = threading.Event()

    def step(self) -> float:
        """Send the next part; what fails is tried again when its commit wants it.

        Returns:
            Seconds to wait: 0 when there may be more.
        """
        part = self._queue.take()
        if part is None:
            return IDLE_S
        failure = None
        try:
            self._send(part)
        except PlatformError as error:
            job_logger(log, part.job).debug("%s: not sent: %s", part.file, error.message)
            failure = error
        if self._queue.land(part, failure):
            self._on_landed()
        return 0.0

    def _send(self, part: OutPart) -> None:
        have = self._queue.have(part)
        if have is None:
            # Asking costs as much as a small part itself.
            have = 0 if part.size_bytes <= SMALLEST_SLICE_BYTES else self._ask(part)
        while have < part.size_bytes and not self._queue.is_dropped(part):
            have = self._send_next(part, have)

    def _ask(self, part: OutPart) -> int:
        try:
            return self._client.ask_part(part.told, part.size_bytes)
        except PlatformRejectedError as error:
            raise _after_refusal(part, error) from error

    def _send_next(self, part: OutPart, have: int) -> int:
        """Send one slice, or a whole part that is no larger than one.

        Returns:
            How much the platform has now.
        """
        in_flight = max(1, self._queue.in_flight)
        allowed = self._line.slice_bytes(in_flight)
        piece = FileSlice(part.file, have, min(part.size_bytes, have + allowed))
        start_s = self._clock.monotonic()
        try:
            taken = self._put(part, piece)
        except PlatformError as error:
            if isinstance(error, PlatformUnavailableError) and not _is_too_large(error):
                # A short last slice that is lost says nothing of its own size.
                self._line.note_lost(allowed, in_flight)
            return self._go_on(part, piece, in_flight, error)
        self._line.note_taken(len(piece), self._clock.monotonic() - start_s, in_flight)
        return _past(have, taken)

    def _put(self, part: OutPart, piece: FileSlice) -> int:
        if len(piece) == part.size_bytes:
            self._client.put_part(part.told, piece)
            return part.size_bytes
        return self._client.put_slice(part.told, piece, part.size_bytes)

    def _go_on(self, part: OutPart, piece: FileSlice, in_flight: int, error: PlatformError) -> int:
        """Where to go on after an answer that took nothing, unless the part has to wait."""
        if isinstance(error, PlatformRejectedError) and error.problem == "parts-missing":
            have = missing_parts(error).get(part.sha256, piece.start)
            if have == piece.start:
                raise _no_answer(part, "the platform misses what it said it has") from error
            return have
        if _is_too_large(error) and self._line.note_lost(len(piece), in_flight):
            return piece.start
        if isinstance(error, PlatformUnavailableError):
            _check_size(part)
        if isinstance(error, PlatformRejectedError):
            raise _after_refusal(part, error) from error
        raise error


def _past(have: int, taken: int) -> int:
    if taken <= have:
        raise PlatformUnavailableError(f"the platform has {taken} bytes of a part, after {have}")
    return taken


def _is_too_large(error: PlatformError) -> bool:
    """Whether somebody on the way limits bodies, whoever that is."""
    return isinstance(error, PlatformUnavailableError) and error.status == TOO_LARGE


def _after_refusal(part: OutPart, error: PlatformRejectedError) -> PlatformError:
    """What a refusal of a part means: its file is broken, or it has to be sent anew."""
    if error.problem != "invalid":
        return error
    try:
        with part.file.open("rb") as file:
            is_sound = hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        is_sound = False
    if is_sound:
        return _no_answer(part, f"refused, though it is sound ({error.message})")
    return _broken(part)


def _check_size(part: OutPart) -> None:
    """A file that was cut or removed cannot be sent however often that is tried."""
    if not part.file.is_file() or part.file.stat().st_size != part.size_bytes:
        raise _broken(part)


def _broken(part: OutPart) -> PlatformRejectedError:
    return PlatformRejectedError(
        f"{part.file.name} is broken on the agent's disk: its bytes are no longer those that were "
        f"written (SHA-256 {part.sha256[:16]}...)",
        problem="invalid",
    )


def _no_answer(part: OutPart, why: str) -> PlatformUnavailableError:
    return PlatformUnavailableError(f"{part.file.name}: {why}")
