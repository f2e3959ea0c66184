"""The two pipes to the agent: commands come in, reports go out, one JSON object per line."""

from __future__ import annotations

import json
import os
import threading
from queue import SimpleQueue
from typing import Any

from alectio_agent.agent.hooks.child.guard import end_group
from alectio_agent.agent.hooks.child.helpers import STOP_WISH


class Link:
    """Reads commands in a thread of its own, so that the agent's end is noticed at any time."""

    def __init__(self, commands: int, reports: int) -> None:
        """Take over the file descriptors.

        Args:
            commands: To read from.
            reports: To write to.
        """
        self._reports = reports
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._commands: SimpleQueue[dict[str, Any]] = SimpleQueue()
        for descriptor in (commands, reports):
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - positional only
        threading.Thread(
            target=self._listen, args=(commands,), name="alectio-commands", daemon=True
        ).start()

    def next_command(self) -> dict[str, Any]:
        """Wait for the next command."""
        return self._commands.get()

    def report(self, name: str, **content: Any) -> None:
        """Tell the agent something; a forked copy of this process says nothing.

        Args:
            name: What kind of report.
            content: Plain values.
        """
        if os.getpid() != self._pid:
            return
        line = json.dumps({"report": name, **content}).encode("ascii") + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._reports, line) :]
            except OSError:
                end_group()  # nobody is left to listen

    def _listen(self, commands: int) -> None:
        pieces = []  # of a line that goes on: joining them one by one would take the square of it
        while True:
            try:
                read = os.read(commands, 2**20)
            except OSError:
                read = b""
            if not read:
                end_group()
            first, *lines = read.split(b"\n")
            pieces.append(first)
            for line in lines:
                self._take(json.loads(b"".join(pieces)))
                pieces = [line]

    def _take(self, command: dict[str, Any]) -> None:
        """Put a command in line; a stop is about the one that runs, and cannot wait for it."""
        if command["do"] == "stop":
            STOP_WISH.set()
            return
        # In the order of the pipe: a stop that comes behind this command is never taken back.
        STOP_WISH.clear()
        self._commands.put(command)
