"""Which parts of results are to be sent, are being sent, and have arrived."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from alectio_agent.agent.client.endpoints import PartKey
from alectio_agent.core.errors import PlatformError, PlatformRejectedError
from alectio_agent.wire.results import MissingPart

Key = tuple[str, str]


@dataclass(frozen=True)
class OutPart:
    """A part on this disk, and where it belongs.

    Attributes:
        file: Durable, and never changed.
        step: Whose result it belongs to.
        job: `experiment/loop`, for people.
    """

    job_id: str
    lease: str
    sha256: str
    file: Path
    size_bytes: int
    step: str = ""
    job: str = ""

    @property
    def told(self) -> PartKey:
        """How calls name it."""
        return PartKey(self.job_id, self.lease, self.sha256, self.step)

    @property
    def key(self) -> Key:
        """What tells it from other parts of this agent."""
        return self.lease, self.sha256


class PartQueue:
    """The state of all parts in hand; may be used from any thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._waiting: deque[OutPart] = deque()
        self._flying: dict[Key, OutPart] = {}
        self._have: dict[Key, int | None] = {}
        self._arrived: set[Key] = set()
        self._failed: dict[Key, PlatformError] = {}
        self._wanted: set[Key] = set()

    def offer(self, part: OutPart) -> None:
        """Send a part before its commit is there; it was never sent before."""
        with self._lock:
            self._have[part.key] = 0
            self._waiting.append(part)

    def want(self, parts: Iterable[OutPart]) -> bool:
        """Send what has not arrived of the parts that a commit names.

        Args:
            parts: All parts of the commit.

        Returns:
            Whether all have arrived.

        Raises:
            PlatformError: One could not be sent; it is tried again when it is wanted again.
        """
        with self._lock:
            left = {part.key: part for part in parts if part.key not in self._arrived}
            self._wanted = set(left)
            if self._failed:
                if self._flying.keys() & self._wanted:
                    return False  # the others end first, so that one cut is one failure
                self._raise_failure()
            known = self._flying.keys() | {part.key for part in self._waiting}
            self._waiting.extend(part for key, part in left.items() if key not in known)
            return not left

    def take(self) -> OutPart | None:
        """The next part to send; it is in flight from here on."""
        with self._lock:
            while self._waiting:
                part = self._waiting.popleft()
                # Two files with the same bytes are one part.
                if part.key not in self._flying and part.key not in self._arrived:
                    self._flying[part.key] = part
                    return part
            return None

    def have(self, part: OutPart) -> int | None:
        """Bytes that the platform has of a part, None when it must be asked."""
        with self._lock:
            return self._have.get(part.key)

    def is_dropped(self, part: OutPart) -> bool:
        """Whether nobody needs a part any more that is in flight."""
        with self._lock:
            return self._flying.get(part.key) is not part

    def land(self, part: OutPart, error: PlatformError | None = None) -> bool:
        """A part is no longer in flight.

        Args:
            part: That was taken.
            error: Why it did not arrive. Nothing else is sent then before somebody wants it: the
                next ones would meet the same.

        Returns:
            Whether somebody who waits for parts should look again.
        """
        with self._lock:
            if self._flying.get(part.key) is not part:
                return False  # forgotten meanwhile
            del self._flying[part.key]
            self._have.pop(part.key, None)
            if error is None:
                self._arrived.add(part.key)
            else:
                self._waiting.clear()
                if part.key in self._wanted:
                    self._failed[part.key] = error
            in_hand = self._flying.keys() | {waiting.key for waiting in self._waiting}
            return bool(self._wanted) and not (in_hand & self._wanted)

    def settle(self, keys: Iterable[Key]) -> None:
        """Forget parts whose commit was accepted."""
        with self._lock:
            self._arrived.difference_update(keys)

    def forget(self, lease: str) -> None:
        """Forget all parts of an attempt; what is in flight ends with its slice."""
        with self._lock:
            self._waiting = deque(part for part in self._waiting if part.lease != lease)
            self._arrived = {key for key in self._arrived if key[0] != lease}
            for known in (self._flying, self._have, self._failed):
                for key in [key for key in known if key[0] == lease]:
                    del known[key]

    def mark_missing(self, lease: str, have: Mapping[str, int]) -> None:
        """A commit was refused because parts were missing.

        Args:
            lease: Of the attempt.
            have: Bytes that are there of each; empty when the platform did not say, and all are
                asked about.
        """
        with self._lock:
            gone = {
                key for key in self._arrived if key[0] == lease and (not have or key[1] in have)
            }
            self._arrived -= gone
            self._have.update({key: have.get(key[1]) for key in gone})

    def _raise_failure(self) -> None:
        """Hand on the first failure of a wanted part; the next want begins anew."""
        failed = [error for key, error in self._failed.items() if key in self._wanted]
        self._failed.clear()
        if failed:
            raise failed[0]

    @property
    def in_flight(self) -> int:
        """Parts that are being sent."""
        return len(self._flying)

    @property
    def in_hand(self) -> int:
        """Parts that are being sent, or wait for it."""
        return len(self._flying) + len(self._waiting)


def missing_parts(error: PlatformRejectedError) -> dict[str, int]:
    """Read what a platform misses.

    Args:
        error: A `parts-missing`.

    Returns:
        Bytes that are there of each part that it names; empty when it names none.
    """
    try:
        missing = [MissingPart.model_validate(part) for part in _listed(error)]
    except ValidationError:
        return {}
    return {part.sha256: part.have for part in missing}


def _listed(error: PlatformRejectedError) -> list[object]:
    listed = error.detail.get("missing")
    return listed if isinstance(listed, list) else []
