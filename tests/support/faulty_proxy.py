"""A proxy before a hub that does to requests what networks do, one seeded fault after the other.

It understands HTTP just enough to know where a request and an answer end.
"""

import asyncio
import random
import re
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field

PAGE = b"<html><body>The gateway is having a rest</body></html>"
KINDS = {
    "drop": 4,
    "cut the request": 3,
    "swallow": 5,
    "cut the answer": 4,
    "hang": 2,
    "bad gateway": 3,
    "page": 3,
    "half an answer": 3,
    "twice": 4,
    "late twin": 3,
    "delay": 3,
}
"""Each kind of fault, and how often in relation to the others."""
LONGEST_HANG_S = 1.5
LATE_S = 2.0


class Cut(Exception):  # noqa: N818 - how one connection ends
    """Both lines are cut."""


@dataclass
class Faults:
    """Which fault comes next, until there were enough.

    Attributes:
        left: How many are still to come.
        share: Of the requests that meet one.
        done: How many of each kind were.
    """

    rng: random.Random
    left: int
    share: float = 0.35
    done: Counter[str] = field(default_factory=Counter)

    def next(self) -> str:
        """A kind; empty for none."""
        if self.left <= 0 or self.rng.random() >= self.share:
            return ""
        self.left -= 1
        kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        self.done[kind] += 1
        return kind


class FaultyProxy:
    """Listens at a port of its own, in a thread of its own."""

    def __init__(self, faults: Faults) -> None:
        """Begin to listen; `aim` says where at."""
        self.faults = faults
        self._target = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def aim(self, port: int) -> int:
        """Forward to this port of loopback; gives the one to connect to."""
        self._target = port
        return self.port

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self._listening)
        )
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_message(reader)) is not None:
                await self._one(request, writer)
        except (Cut, OSError, asyncio.IncompleteReadError, ValueError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            _reset(writer)

    async def _one(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        kind, rng = self.faults.next(), self.faults.rng
        if kind == "drop":
            raise Cut
        if kind == "cut the request":
            await self._forward(request[: rng.randrange(len(request))], is_cut=True)
            raise Cut
        if kind in ("bad gateway", "page"):
            status = b"502 Bad Gateway" if kind == "bad gateway" else b"200 OK"
            head = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
            await _write(writer, head % (status, len(PAGE)) + PAGE)
            return
        if kind == "delay":
            await asyncio.sleep(rng.uniform(0, LONGEST_HANG_S))
        if kind == "twice":
            await self._forward(request)
        answer = await self._forward(request)
        if kind == "late twin":
            self._send_late(request)
        if kind == "hang":
            await asyncio.sleep(rng.uniform(0, LONGEST_HANG_S))
        if kind in ("swallow", "hang"):
            raise Cut
        if kind in ("cut the answer", "half an answer"):
            await _write(writer, answer[: rng.randrange(len(answer))])
            if kind == "half an answer":  # a clean end in the middle, instead of a reset
                writer.write_eof()
                await asyncio.sleep(0.01)
            raise Cut
        await _write(writer, answer)

    def _send_late(self, request: bytes) -> None:
        """The same request once more, when others have come in between."""

        async def late() -> None:
            await asyncio.sleep(self.faults.rng.uniform(0, LATE_S))
            try:
                await self._forward(request)
            except (Cut, OSError, asyncio.IncompleteReadError):
                return

        task = self._loop.create_task(late())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, request: bytes, *, is_cut: bool = False) -> bytes:
        """Send a request on a connection of its own; the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await _write(writer, request)
            if is_cut:
                return b""
            answer = await _read_message(reader, is_answer=True)
            if answer is None:
                raise Cut
            return answer
        finally:
            _reset(writer)


async def _write(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()


async def _read_message(reader: asyncio.StreamReader, *, is_answer: bool = False) -> bytes | None:
    """A whole request or answer; None when none comes any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    status = head[9:12]
    if is_answer and status in (b"204", b"304"):
        return head
    length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
    if length is None and re.search(rb"(?im)^transfer-encoding:", head):
        raise ValueError("the proxy does not know chunks")
    return head + await reader.readexactly(int(length[1]) if length else 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a machine that went away does."""
    found = writer.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
