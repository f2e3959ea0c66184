"""The terminal behind stderr: its size, who owns it, and what it echoes."""

import os
import termios
from contextlib import suppress
from typing import TextIO

from alectio_agent.cli.live.region import Size

USUAL = Size(80, 24)


class Terminal:
    """A copy of stderr that still reaches the terminal when stderr itself goes elsewhere."""

    def __init__(self, fd: int) -> None:
        """Copy it.

        Args:
            fd: Of stderr; a terminal.
        """
        self._fd = os.dup(fd)
        self._is_quiet = False
        self.is_gone = False

    @property
    def size(self) -> Size:
        """Its size now; as usual when it does not say."""
        try:
            found = os.get_terminal_size(self._fd)
        except OSError:
            return USUAL
        return Size(found.columns or USUAL.columns, found.lines or USUAL.rows)

    @property
    def is_ours(self) -> bool:
        """Whether this process may draw: a job in the background would write over a shell's."""
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False  # no terminal of this session: the session's own may be elsewhere

    def stream(self) -> TextIO:
        """A stream to it, for who asks what it can show."""
        return os.fdopen(self._fd, "w", closefd=False)

    def write(self, text: str) -> None:
        """Write all of a text. A terminal that has vanished takes nothing any more."""
        rest = memoryview(text.encode(errors="replace"))
        while rest and not self.is_gone:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except OSError:
                self.is_gone = True

    def echo(self, *, is_on: bool) -> None:
        """Let it show what is typed, or not: a typed line would push the view out of place.

        Only when this process owns it, since any other would be stopped for asking. Ctrl-C and
        Ctrl-Z act in both cases.

        Args:
            is_on: Show it; does nothing unless it was switched off here.
        """
        if is_on != self._is_quiet or not self.is_ours:
            return
        with suppress(termios.error):  # it has vanished
            state = termios.tcgetattr(self._fd)
            if not is_on and not state[3] & termios.ECHO:
                return  # somebody else switched it off: it stays off
            state[3] = state[3] | termios.ECHO if is_on else state[3] & ~termios.ECHO
            termios.tcsetattr(self._fd, termios.TCSADRAIN, state)
            self._is_quiet = not is_on

    def forget_echo(self) -> None:
        """A shell has had it meanwhile: it echoes as shells leave it."""
        self._is_quiet = False
