"""Cuts requests that take too long: a read timeout alone does not bound an answer that drips."""

import math
import socket
import threading
from typing import Any, Literal

from alectio_agent.core.clock import Clock

UPLOAD_SILENCE_S = 30.0
"""A request of which no byte could be sent for so long is given up, however large it is."""
SLACK_S = 5.0
"""The socket's own timeouts come first, since they know better what is missing."""
SEND_S = UPLOAD_SILENCE_S + SLACK_S

Stage = Literal["connect", "send", "wait", "read"]


class Watch:
    """The deadline of the request that one thread has in flight; each stage moves it on.

    Attributes:
        stage: How far the request is: until it is connected, until it is sent, until the headers
            of the answer are here, until its body is.
        limit_s: Longest time for that stage.
        ends_s: When the request is cut, by the monotonic clock.
        is_over: It was cut.
        is_fresh: Its connection was made for it.
    """

    def __init__(self, deadlines: "Deadlines") -> None:
        """Watch nothing yet.

        Args:
            deadlines: Cuts what is over.
        """
        self._deadlines = deadlines
        self._sockets: tuple[Any, ...] = ()
        self._wait_s = self._read_s = math.inf
        self.stage: Stage = "connect"
        self.limit_s = math.inf
        self.ends_s = math.inf
        self.is_over = False
        self.is_fresh = False

    def begin(self, connect_s: float, wait_s: float, read_s: float) -> None:
        """Start with a request.

        Args:
            connect_s: Longest time until a connection is ready, TLS included.
            wait_s: Longest time from the last byte sent to the end of the headers.
            read_s: Longest time for the body of the answer.
        """
        self._sockets = ()
        self._wait_s, self._read_s = wait_s, read_s
        self.is_over = self.is_fresh = False
        self.enter("connect", connect_s)

    def end(self) -> None:
        """The request is over, in whatever way."""
        self._deadlines.remove(self)

    def enter(self, stage: Stage, limit_s: float) -> None:
        """Move the deadline.

        Args:
            stage: What comes now.
            limit_s: Longest time for it.
        """
        if self.is_over:
            return  # what was missing when it was cut is what is told
        self.stage, self.limit_s = stage, limit_s
        self._deadlines.move(self, limit_s)

    def attach(self, *sockets: Any) -> None:
        """Cut these when time is over; in place of what was attached before.

        Args:
            sockets: Of this request; of `socket`, `ssl` or, through a TLS proxy, urllib3.
        """
        self._sockets = sockets
        self._deadlines.add(self)
        if self.is_over:
            self.cut()

    def send(self, connected: Any, data: Any) -> None:
        """Send all of it; as long as bytes leave, the deadline moves on.

        Args:
            connected: The socket of this request.
            data: Bytes, of any size.
        """
        if self._sockets != (connected,):
            self.attach(connected)
        if connected.gettimeout() != UPLOAD_SILENCE_S:
            connected.settimeout(UPLOAD_SILENCE_S)
        # `sendall` would have to be done with everything within one timeout.
        view = memoryview(data)
        while view:
            self.enter("send", SEND_S)
            view = view[connected.send(view) :]

    def wait(self) -> None:
        """The request has left."""
        self.enter("wait", self._wait_s)

    def read(self) -> None:
        """The headers of the answer are here.

        Raises:
            TimeoutError: They were cut; `http.client` takes half of them for all.
        """
        if self.is_over:
            raise TimeoutError
        self.enter("read", self._read_s)

    def cut(self) -> None:
        """Shut down the connection, whatever the request is doing; from any thread."""
        self.is_over = True
        for connected in self._sockets:
            shut_down(connected)


class Deadlines:
    """One thread cuts all requests of a process; it sleeps until one is over, and never ticks."""

    def __init__(self, clock: Clock) -> None:
        """Start without a thread; the first request on a socket starts it.

        Args:
            clock: The machine's: the thread really waits.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._looks_s = math.inf
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        """Cut a request when its time is over."""
        with self._lock:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            self._look_by(watch.ends_s)

    def remove(self, watch: Watch) -> None:
        """Forget a request. The thread is not woken for that."""
        with self._lock:
            self._watches.discard(watch)

    def move(self, watch: Watch, limit_s: float) -> None:
        """Give a request another deadline.

        Args:
            watch: Of the request, added or not yet.
            limit_s: From now on.
        """
        with self._lock:
            watch.ends_s = self._clock.monotonic() + limit_s
            if watch in self._watches:
                self._look_by(watch.ends_s)

    def step(self) -> float:
        """Cut what is over.

        Returns:
            Seconds until the next one may be; infinite when nothing is in flight.
        """
        now_s = self._clock.monotonic()
        with self._lock:
            over = [watch for watch in self._watches if watch.ends_s <= now_s]
            self._watches.difference_update(over)
            self._looks_s = min((watch.ends_s for watch in self._watches), default=math.inf)
            for watch in over:  # under the lock: `remove` then means that nothing is cut later
                watch.cut()
        return self._looks_s - now_s

    def _look_by(self, ends_s: float) -> None:
        if ends_s < self._looks_s:
            self._looks_s = ends_s
            self._wake.set()

    def _run(self) -> None:
        while True:
            wait_s = self.step()
            self._clock.wait(self._wake, wait_s)
            self._wake.clear()


def shut_down(connected: Any) -> None:
    """End a connection under whoever reads or writes it; from any thread.

    Args:
        connected: A socket, also one that was closed already.
    """
    plain = getattr(connected, "socket", connected)  # of TLS within TLS
    try:
        # Not the method of an SSL socket: that one forgets its encryption first, and what another
        # thread sends in this moment would leave as plain text.
        socket.socket.shutdown(plain, socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already
