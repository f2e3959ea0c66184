"""Tells agents that wait when a job may have come for them: one look for all of them."""

import logging
from collections.abc import Awaitable, Callable

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.api.pulse import Pulse

log = logging.getLogger(__name__)


class JobWatch:
    """Turns beats of commits into beats of jobs.

    Each look of a waiting agent is a write. Did every commit wake all of them, their looks would
    be commits that wake them again.
    """

    def __init__(
        self,
        commits: Pulse,
        jobs: Pulse,
        read_mark: Callable[[], Awaitable[int | None]],
        is_needed: Callable[[], bool],
    ) -> None:
        """Bind the two pulses.

        Args:
            commits: Beats after every commit.
            jobs: Made to beat when agents should look again.
            read_mark: Reads a number that grows with every change of state; None while no job is
                available.
            is_needed: Whether anybody waits for a job.
        """
        self._commits = commits
        self._jobs = jobs
        self._read_mark = read_mark
        self._is_needed = is_needed
        self._last: int | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        beat = self._commits.next_beat()
        while True:
            await beat.wait()
            beat = self._commits.next_beat()
            if self._is_needed():
                await self._look()

    async def _look(self) -> None:
        try:
            mark = await self._read_mark()
        except StoreError as error:
            log.warning("looking for jobs: %s", error)
            return
        if mark is not None and mark != self._last:
            self._last = mark
            self._jobs.beat()
