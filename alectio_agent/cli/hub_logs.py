"""What hooks printed, as far as a hub has it: `logs --hub`."""

import json
from collections import deque
from collections.abc import Callable
from pathlib import Path

import click

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.cli.hub_options import named_hub
from alectio_agent.cli.job_name import NamedJob
from alectio_agent.cli.log_tail import Lines, shown_line
from alectio_agent.cli.logs import follow
from alectio_agent.cli.options import Common
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformRejectedError, PlatformUnavailableError, UsageError
from alectio_agent.core.units import format_size
from alectio_agent.wire.logs import LogText

TURN_S = 2.0
MOST_LOOPS = 3
"""Of an experiment so many of the newest loops are looked through for one that has a log."""

Show = Callable[[str, int, str], None]
"""Gets the job, the attempt, and a line."""


class HubLog:
    """A step object: one turn shows what has come to the hub since the last."""

    def __init__(
        self,
        operator: OperationClient,
        job: NamedJob,
        attempt: int | None,
        show: Show,
        lines: int | None,
    ) -> None:
        """Start before the first line.

        Args:
            operator: Reaches the hub.
            job: What was named; of an experiment its newest loop with a log is shown.
            attempt: Whose log; None: the newest, also one that comes later.
            show: Gets each line.
            lines: How many of the last lines are shown first; None for all.
        """
        self._operator = operator
        self._job = job
        self._attempt = attempt
        self._show = show
        self._skip_to: deque[str] | None = None if lines is None else deque(maxlen=lines)
        self._shown: tuple[int, int] | None = None
        self._position = 0
        self._lines = Lines()
        self._is_silent = False

    @property
    def has_begun(self) -> bool:
        """Whether a log was found."""
        return self._shown is not None

    def step(self) -> float:
        """Show what is new; a hub that does not answer for a while is told once.

        Returns:
            Seconds to wait before the next turn.
        """
        try:
            self.look()
        except PlatformUnavailableError as error:
            if not self._is_silent:
                click.echo(f"{error.message}; trying again", err=True)
            self._is_silent = True
        else:
            self._is_silent = False
        return TURN_S

    def look(self) -> None:
        """Show what is new.

        Raises:
            PlatformRejectedError: `not-found`: there is no such experiment.
            PlatformUnavailableError: The hub does not answer.
        """
        for loop in self._loops():
            piece = self._read(loop)
            if piece is not None:
                self._follow(loop, piece)
                return

    def finish(self) -> None:
        """Show a line that was begun and not ended."""
        rest = self._lines.rest()
        if rest and self._shown is not None:
            self._say(rest)
        self._show_last()

    def _loops(self) -> list[int]:
        if self._job.loop is not None:
            return [self._job.loop]
        loops = [view.loop for view in self._operator.experiment(self._job.experiment).loops]
        return sorted(loops, reverse=True)[:MOST_LOOPS]

    def _read(self, loop: int) -> LogText | None:
        """The next piece of a loop's log, from its beginning when it is another one than before."""
        is_same = self._shown is not None and self._shown[0] == loop
        try:
            piece = self._operator.loop_log(
                self._job.experiment, loop, self._attempt, self._position if is_same else 0
            )
            if is_same and self._shown != (loop, piece.attempt):
                piece = self._operator.loop_log(self._job.experiment, loop, piece.attempt)
        except PlatformRejectedError as error:
            if error.problem != "not-found" or error.message.startswith("no experiment"):
                raise
            return None
        return piece

    def _follow(self, loop: int, piece: LogText) -> None:
        if self._shown != (loop, piece.attempt):
            self.finish()
            self._shown, self._position, self._lines = (loop, piece.attempt), 0, Lines()
        while piece.text:
            if piece.offset > self._position:
                self._tell_gap(piece.offset - self._position)
            for line in self._lines.feed(piece.text):
                self._say(line)
            self._position = piece.offset + len(piece.text)
            piece = self._operator.loop_log(
                self._job.experiment, loop, piece.attempt, self._position
            )
        self._show_last()

    def _tell_gap(self, missing_bytes: int) -> None:
        rest = self._lines.rest()
        if rest:
            self._say(rest)
        if self._skip_to is None:
            click.echo(f"({format_size(missing_bytes)} are not at the hub)", err=True)

    def _say(self, line: str) -> None:
        if self._skip_to is not None:
            self._skip_to.append(line)
        elif self._shown is not None:
            loop, attempt = self._shown
            self._show(f"{self._job.experiment}/{loop}", attempt, line)

    def _show_last(self) -> None:
        """Show the last lines of what was there at first; from now on all lines are shown."""
        if self._skip_to is not None and self._shown is not None:
            last, self._skip_to = self._skip_to, None
            if last.maxlen == 0:
                self._lines = Lines()
            elif self._lines.begun and len(last) == last.maxlen:
                last.popleft()  # the line that has begun is the last one
            for line in last:
                self._say(line)


def show_hub_log(
    common: Common,
    hub: str | None,
    token_file: Path | None,
    job: NamedJob | None,
    attempt: int | None,
    lines: int | None,
    *,
    is_following: bool,
) -> None:
    """Print a log that a hub has, and follow it until Ctrl-C.

    Args:
        common: The options of every command.
        hub: Its URL; None: the platform of `agent.yaml`.
        token_file: Holds a token for it.
        job: What was named.
        attempt: Whose log; None for the newest.
        lines: Only so many of the last lines.
        is_following: Go on until Ctrl-C.

    Raises:
        UsageError: No job is named, or the hub has no log of it.
    """
    if job is None:
        raise UsageError(
            "expected the name of a job, such as digits/3: a hub has the jobs of many agents",
            hint=f"Those that are not done: alectio-agent jobs --hub {hub or 'URL'}",
        )
    with named_hub(common, hub, token_file, needs="viewer") as operator:
        operator.experiment(job.experiment)  # of an unknown one no log would ever come
        log = HubLog(operator, job, attempt, _printer(common), lines)
        log.look()
        which = f"{job}, attempt {attempt}" if attempt else str(job)
        if not log.has_begun and not is_following:
            raise UsageError(
                f"nothing that {which} printed is at the hub",
                hint="Agents send it to a hub on their own machine only; elsewhere the file "
                "stays in their state folder.",
                code="E-USE-02",
            )
        if not log.has_begun:
            click.echo(f"nothing that {which} printed is at the hub yet: waiting for it", err=True)
        if is_following:
            follow(log, SystemClock())
        else:
            log.finish()


def _printer(common: Common) -> Show:
    shown: list[tuple[str, int]] = []

    def show(job: str, attempt: int, line: str) -> None:
        if common.as_json:
            click.echo(json.dumps({"job": job, "attempt": attempt, "line": line}))
            return
        if shown != [(job, attempt)]:
            shown[:] = [(job, attempt)]
            if not common.is_quiet:
                click.echo(f"{job}, attempt {attempt}: as the hub has it", err=True)
        click.echo(shown_line(line))

    return show
