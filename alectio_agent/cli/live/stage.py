"""Puts the view on the terminal, and everything that is written to stderr above it.

stderr itself becomes a pipe: whoever writes (the log, the hub in the box, a library), the lines
come out above the view and never through it. One thread reads the pipe and draws. The cursor stays
visible and no mode but the echo of keys is changed, so that a process that is killed leaves
nothing behind that a shell does not put right.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from rich.text import Text

from alectio_agent.cli.live.glyphs import Glyphs
from alectio_agent.cli.live.region import Region, Size
from alectio_agent.cli.live.render import Renderer
from alectio_agent.cli.live.terminal import Terminal
from alectio_agent.cli.log_tail import shown_line

Draw = Callable[[Size], list[Text] | None]
"""Rows for a size; None when those of the last call with this size still stand."""

Handler = Callable[[int, FrameType | None], None]

TURN_MS = 250
"""At most four drawings a second."""
CHUNK_BYTES = 2**16
STDERR = 2
LAST_WORDS_S = 1.0
"""Everybody who could write has ended by then; a process that did not holds nobody up."""


class Stage:
    """Open it, `show` a view, `close` it; all from the main thread."""

    def __init__(self, glyphs: Glyphs) -> None:
        """Take the terminal; nothing changes yet.

        Args:
            glyphs: For the rows.
        """
        self._terminal = Terminal(STDERR)
        self._region = Region(self._terminal)
        self._renderer = Renderer(self._terminal.stream(), glyphs)
        self._draw: Draw | None = None
        self._lock = threading.RLock()  # a signal may come while its thread holds it
        self._closing, self._cleared = threading.Event(), threading.Event()
        self._rest = b""
        self._out = os.dup(STDERR)
        self._pipe, pipe_end = os.pipe()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        sys.stderr.flush()
        os.dup2(pipe_end, STDERR)
        os.close(pipe_end)
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)
        self._thread.start()

    def show(self, draw: Draw) -> None:
        """Draw from now on.

        Args:
            draw: Gives the rows; called from a thread of its own.
        """
        self._draw = draw
        handlers: dict[signal.Signals, Handler] = {
            signal.SIGWINCH: self._on_size,
            signal.SIGCONT: self._on_return,
        }
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            handlers[signal.SIGTSTP] = self._on_stop
        for number, handler in handlers.items():
            signal.signal(number, handler)
        self._prod()

    def close(self) -> None:
        """Remove the view, give stderr back, and wait until all that was written is shown."""
        if self._closing.is_set():
            return
        sys.stderr.flush()
        os.dup2(self._out, STDERR)
        os.close(self._out)
        for number in (signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP):
            signal.signal(number, signal.SIG_DFL)
        self._closing.set()
        self._prod()
        self._cleared.wait()

    def finish(self) -> None:
        """Close it, and show what the hub says while it stops."""
        self.close()
        self._thread.join(LAST_WORDS_S)

    def _run(self) -> None:
        """Show what comes, until nobody is left who could write: the hub may outlive the view."""
        while True:
            ready, _, _ = select.select([self._pipe, self._woken], [], [], self._turn_s())
            if self._woken in ready:
                os.read(self._woken, CHUNK_BYTES)
            if self._pipe in ready and not self._pass_on():
                break
            with self._lock:
                if self._closing.is_set():
                    self._clear()
                elif self._draw is not None:
                    self._redraw(self._draw)
            if not ready:
                self._end_line()
        self._clear()

    def _turn_s(self) -> float | None:
        is_quiet = self._cleared.is_set() and not self._rest
        return None if is_quiet else TURN_MS / 1000

    def _pass_on(self) -> bool:
        """Print the lines that have come; gives False at the end."""
        data = os.read(self._pipe, CHUNK_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._print(lines)
        if not data:
            self._end_line()
        return bool(data)

    def _end_line(self) -> None:
        """A line that was begun and does not go on must not wait for ever."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._print([rest])

    def _print(self, lines: list[bytes]) -> None:
        if lines:
            shown = [shown_line(line.decode(errors="replace")) for line in lines]
            with self._lock:
                self._region.print_above(shown, self._terminal.size)

    def _redraw(self, draw: Draw) -> None:
        if not self._terminal.is_ours:
            return
        size = self._terminal.size
        try:
            rows = draw(size)
        except Exception as error:  # noqa: BLE001 - the top of a thread: no view is worth a run
            self._draw = None
            self._region.erase(size)
            # Not logged: this thread alone empties the pipe that the log writes into.
            self._print([f"the live view ended; the run goes on: {error!r}".encode()])
            return
        if rows is not None:
            self._terminal.echo(is_on=False)
            self._region.draw(self._renderer.lines(rows), size)

    def _clear(self) -> None:
        """Show what was written before stderr was given back, then no view any more."""
        if self._cleared.is_set():
            return
        while select.select([self._pipe], [], [], 0)[0] and self._pass_on():
            pass
        self._end_line()
        self._region.erase(self._terminal.size)
        self._terminal.echo(is_on=True)
        self._cleared.set()

    def _prod(self) -> None:
        with suppress(BlockingIOError):  # it is awake already
            os.write(self._wake, b".")

    def _on_size(self, _number: int, _frame: FrameType | None) -> None:
        self._prod()

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: leave the terminal as it was, then stop as everybody does."""
        with self._lock:
            self._region.erase(self._terminal.size)
            self._terminal.echo(is_on=True)
            signal.signal(number, signal.SIG_DFL)
            # To this thread, so that it has stopped before the next line.
            signal.pthread_kill(threading.get_ident(), number)
            signal.signal(number, self._on_stop)

    def _on_return(self, _number: int, _frame: FrameType | None) -> None:
        """`fg`: a shell has written meanwhile."""
        with self._lock:
            self._region.forget()
            self._terminal.forget_echo()
        self._prod()
