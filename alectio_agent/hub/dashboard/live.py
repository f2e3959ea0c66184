"""Tells open pages that something changed: one look for all of them, at most twice a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.api.pulse import Pulse

log = logging.getLogger(__name__)

BETWEEN_LOOKS_S = 0.5
PROGRESS_EVERY_S = 2.0

Sleep = Callable[[float], Awaitable[object]]


class Live:
    """Knows the newest version of each experiment while anybody watches; one event loop only."""

    def __init__(
        self,
        commits: Pulse,
        read_versions: Callable[[], Awaitable[Mapping[str, int]]],
        read_beats: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Prepare; `run` does the work.

        Args:
            commits: Beats after every commit.
            read_versions: Reads the versions of all experiments, by name.
            read_beats: A number in memory that grows with all that comes of a job without a commit.
            sleep: Waits; given so that tests need not.
        """
        self._commits = commits
        self._read_versions = read_versions
        self._read_beats = read_beats
        self._sleep = sleep
        self._watchers = 0
        self._needed = asyncio.Event()
        self._changed = asyncio.Event()
        self._versions: Mapping[str, int] = {}
        self._beats = 0
        self.revision = 0
        """Grows with everything that may show on a page, as far as anybody watches."""

    @property
    def is_watched(self) -> bool:
        """Whether any page is open, so that `revision` keeps up with the tables."""
        return self._watchers > 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch as long as a page is open."""
        if not self._watchers:
            self.revision += 1  # nobody looked until now: what was known may be old
        self._watchers += 1
        self._needed.set()
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._needed.clear()

    def next_change(self) -> asyncio.Event:
        """What the next change will set; take it before looking at `mark`."""
        return self._changed

    def mark(self, experiment: str | None) -> tuple[int, ...]:
        """What differs when a page should be drawn again.

        Args:
            experiment: That the page is about; None for all of them.
        """
        if experiment is None:
            return (self.revision,)
        return self._versions.get(experiment, 0), self._beats

    async def run(self) -> None:
        """Look after commits, and now and then at the progress in memory, until cancelled."""
        while True:
            await self._needed.wait()
            beat = self._commits.next_beat()
            await self._look(is_commit=True)
            await self._sleep(BETWEEN_LOOKS_S)
            while self.is_watched and not await self._until(beat):
                await self._look(is_commit=False)

    async def _until(self, beat: asyncio.Event) -> bool:
        """Wait for a commit, or until it is time to look at the progress; whether it was one."""
        waits = [asyncio.ensure_future(beat.wait()), asyncio.ensure_future(self._pause())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return beat.is_set()

    async def _pause(self) -> None:
        await self._sleep(PROGRESS_EVERY_S)

    async def _look(self, *, is_commit: bool) -> None:
        beats = self._read_beats()
        if not is_commit and beats == self._beats:
            return
        self._beats = beats
        if is_commit:
            try:
                self._versions = await self._read_versions()
            except StoreError as error:
                log.warning("looking for changes: %s", error)
                return
        self.revision += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
