"""Watches a status: drawn over and over on a terminal, a line for each change in a pipe."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event

import click
from rich.text import Text

from alectio_agent.agent.service.control.status import Status
from alectio_agent.cli.live.glyphs import glyphs_for
from alectio_agent.cli.live.region import Region
from alectio_agent.cli.live.render import Renderer
from alectio_agent.cli.live.rows import fit
from alectio_agent.cli.live.terminal import Terminal
from alectio_agent.cli.options import Common
from alectio_agent.cli.status_text import status_line, status_rows, text_width
from alectio_agent.core.clock import Clock

TURN_S = 1.0
STDOUT = 1


class Lines:
    """For a pipe: one line when something has changed, with the time in front."""

    def __init__(self, *, as_json: bool) -> None:
        """Start without a line.

        Args:
            as_json: An object a line, for programs.
        """
        self._as_json = as_json
        self._last = ""

    def show(self, found: Status, now: datetime) -> None:
        """Print it, if it is news.

        Args:
            found: The status.
            now: The time.
        """
        line = status_line(found)
        if line == self._last:
            return
        self._last = line
        at = now.astimezone().isoformat(timespec="seconds")
        click.echo(found.model_dump_json() if self._as_json else f"{at} {line}")
        sys.stdout.flush()

    def close(self) -> None:
        """Nothing is left to do."""


class Drawing:
    """For a terminal: rows that are written over."""

    def __init__(self) -> None:
        """Take the rows from the cursor on."""
        self._terminal = Terminal(STDOUT)
        self._region = Region(self._terminal)
        self._glyphs = glyphs_for(os.environ)
        self._renderer = Renderer(self._terminal.stream(), self._glyphs)
        self._rows: list[str] = []

    def show(self, found: Status, now: datetime) -> None:
        """Draw it.

        Args:
            found: The status.
            now: The time.
        """
        size = self._terminal.size
        if not self._terminal.is_ours:
            return
        self._terminal.echo(is_on=False)
        self._rows = status_rows(found, now, min(text_width(), size.columns - 1))
        shown = [*self._rows, "Ctrl-C: end"][: size.rows - 1]
        rows = [fit(Text(row), size.columns - 1, self._glyphs) for row in shown]
        self._region.draw(self._renderer.lines(rows), size)

    def close(self) -> None:
        """Leave what was shown last, as a command prints it."""
        self._region.erase(self._terminal.size)
        self._terminal.echo(is_on=True)
        for row in self._rows:
            click.echo(row)


def watch_status(look: Callable[[], Status], common: Common, clock: Clock) -> None:
    """Show a status until Ctrl-C, which is the usual end and no failure.

    Args:
        look: Finds it.
        common: Whether as JSON.
        clock: Waits between two looks.
    """
    is_drawn = sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
    shown = Drawing() if is_drawn and not common.as_json else Lines(as_json=common.as_json)
    never = Event()
    try:
        while True:
            shown.show(look(), clock.now())
            clock.wait(never, TURN_S)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    finally:
        with suppress(BrokenPipeError):
            shown.close()
