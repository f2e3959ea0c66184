"""A hub process whose clock a test turns from outside, also while the process stands still.

The clock is a file: seconds to add to the machine's time, and how often the hub asked to wait.
"""

import argparse
import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import TIMEOUT_MAX, Event

FORM = struct.Struct("<dq")


class TurnedClock:
    """Implements `core.clock.Clock` over a file that both processes map."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(FORM.pack(0.0, 0))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), FORM.size)

    def monotonic(self) -> float:
        return time.monotonic() + self._read()[0]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, event: Event, seconds: float) -> bool:
        ahead_s, waits = self._read()
        FORM.pack_into(self._map, 0, ahead_s, waits + 1)
        return event.wait(min(max(0.0, seconds), TIMEOUT_MAX))

    def advance(self, seconds: float) -> None:
        """Let time pass, for all who map the file."""
        ahead_s, waits = self._read()
        FORM.pack_into(self._map, 0, ahead_s + seconds, waits)

    @property
    def waits(self) -> int:
        """How often anybody waited: workers do at the end of each turn."""
        return self._read()[1]

    def _read(self) -> tuple[float, int]:
        ahead_s, waits = FORM.unpack_from(self._map)
        return ahead_s, waits


def main() -> None:
    """Serve as `hub embedded` does, by the clock of a file."""
    from alectio_agent.core.log import configure
    from alectio_agent.hub.server.process import serve
    from alectio_agent.hub.server.settings import ServerSettings

    parser = argparse.ArgumentParser()
    parser.add_argument("clock", type=Path)
    for name in ("data", "results"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("socket-fd", "pipe-fd", "ready-fd"):
        parser.add_argument(f"--{name}", type=int)
    said = vars(parser.parse_args())
    clock = TurnedClock(said.pop("clock"))
    configure("warning")
    serve(ServerSettings(**said), clock=clock)


if __name__ == "__main__":
    main()
