"""What speaks against asking for a job now: a full disk, or a command of the user's."""

import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from alectio_agent.agent.hooks.shell_command import CommandEnd, ShellCommand
from alectio_agent.core.clock import Clock
from alectio_agent.core.free_disk import free_bytes
from alectio_agent.core.units import format_duration, format_size

LIMIT_S = 30.0
FRESH_S = 10.0
"""What the command said counts for so long: a poll that failed is tried again much sooner."""


class FreeDisk:
    """A reason of the poll loop: a disk that a job would write to is nearly full.

    Attributes:
        least_bytes: With less free, no job is asked for; 0: no disk is looked at.
    """

    def __init__(self, least_bytes: int, folders: Mapping[str, Path]) -> None:
        """Know what to look at.

        Args:
            least_bytes: With less free, no job is asked for.
            folders: That a job writes to, by the key that names each; they need not exist yet.
        """
        self.least_bytes = least_bytes
        self._folders = dict(folders)

    def __call__(self) -> str:
        """Why no job may be asked for; empty when one may."""
        if not self.least_bytes:
            return ""
        for key, folder in self._folders.items():
            try:
                free = free_bytes(folder)
            except OSError as error:
                return f"{folder} ({key}): its free disk cannot be told ({error.strerror})"
            if free < self.least_bytes:
                return (
                    f"{folder} ({key}) has {format_size(free)} free, less than the "
                    f"{format_size(self.least_bytes)} of claim.min_free_disk: free some, or lower "
                    "that key"
                )
        return ""


class ClaimCheck:
    """A reason of the poll loop: `claim.check` does not end with 0. Its thread waits for it."""

    def __init__(
        self,
        line: str | None,
        environment: Mapping[str, str],
        clock: Clock,
        limit_s: float = LIMIT_S,
    ) -> None:
        """Prepare it.

        Args:
            line: For `/bin/sh -c`; None: nothing speaks against a job.
            environment: The agent's variables.
            clock: For how old its last word is.
            limit_s: How long it may take.
        """
        self._limit_s = limit_s
        self._line = line
        self._command = ShellCommand(line or "", environment, clock)
        self._clock = clock
        self._asked_s: float | None = None
        self._asked_line = line
        self._reason = ""

    def __call__(self) -> str:
        """Why no job may be asked for; empty when one may."""
        line = self._line
        if line is None:
            return ""
        is_old = self._asked_s is None or self._clock.monotonic() - self._asked_s >= FRESH_S
        if is_old or line != self._asked_line:
            self._command.line = line
            self._reason = self._run()
            self._asked_s, self._asked_line = self._clock.monotonic(), line
        return self._reason

    def change(self, line: str | None) -> None:
        """Ask another command from now on; from any thread.

        Args:
            line: As at the start.
        """
        self._line = line

    def stop(self) -> None:
        """End it when it runs; called from another thread, when the agent stops."""
        self._command.stop()

    def _run(self) -> str:
        try:
            end = self._command.run(self._limit_s)
        except OSError as error:
            return f"claim.check cannot be run: {error.strerror}"
        return "" if end.code == 0 else f"claim.check {self._words(end)}"

    def _words(self, end: CommandEnd) -> str:
        if end.is_stopped:
            return "was ended, since the agent stops"
        said = f": {end.last_line}" if end.last_line else ""
        if end.code is None:
            return f"did not end within {format_duration(self._limit_s)} and was killed{said}"
        if end.code < 0:
            name = str(-end.code)
            with suppress(ValueError):
                name = signal.Signals(-end.code).name
            return f"was killed by {name}{said}"
        return f"ended with {end.code}, not with 0{said}"
