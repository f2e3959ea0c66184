"""What parts hold, looked at as they arrive, so that a commit need not wait for it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.part_form import PartForm, read_form

MOST_KNOWN = 8192
"""Parts of this many are 32 GB of results; what is forgotten is looked at again."""


class Forms:
    """Remembers the forms of parts; for the event loop only."""

    def __init__(self) -> None:
        """Start without knowing any."""
        self._tasks: dict[Path, asyncio.Task[PartForm]] = {}
        # One at a time: they hold the interpreter, and beats and polls must not wait for many.
        self._turn = asyncio.Lock()

    def learn(self, part: Path) -> "asyncio.Task[PartForm]":
        """Have a part looked at, unless it is known.

        Args:
            part: A whole part.

        Returns:
            What is awaited for its form.
        """
        task = self._tasks.get(part)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._tasks[part] = asyncio.ensure_future(self._read(part))
            # Whoever needs the form hears of an error; a part that is gone since may have nobody.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            for oldest in list(self._tasks)[:-MOST_KNOWN]:
                del self._tasks[oldest]
        return task

    async def of(self, parts: Sequence[Path]) -> list[PartForm]:
        """The forms of whole parts.

        Args:
            parts: Their files.

        Raises:
            ProblemError: `parts-missing`: somebody removed a file.
            StoreError: The disk refuses.
        """
        gone = await asyncio.to_thread(lambda: [part for part in parts if not part.is_file()])
        if gone:
            raise ProblemError(
                "parts-missing",
                f"{len(gone)} of {len(parts)} parts are there no more",
                missing=[{"sha256": part.name, "have": 0} for part in gone],
            )
        return [await asyncio.shield(self.learn(part)) for part in parts]

    async def _read(self, part: Path) -> PartForm:
        async with self._turn:
            return await asyncio.to_thread(read_form, part)
