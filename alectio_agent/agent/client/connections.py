"""Connections whose sockets are known, so that another thread can shut them down."""

import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from alectio_agent.agent.client.deadlines import Watch, shut_down

UNSENT_BYTES = 256 * 2**10
"""The kernel takes no more than this beyond what is on its way. Otherwise it would swallow a whole
slice at once, and a slow line could not be told from a dead one."""
SOCKET_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES),
]


class LiveSockets:
    """The sockets of all sessions, so that another thread can shut them down."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.are_refused = False

    def add(self, connected: socket.socket) -> None:
        """Know a socket, until it is closed; cut at once when all are refused.

        Args:
            connected: Just now.
        """
        with self._lock:
            self._sockets = [*(live for live in self._sockets if live.fileno() >= 0), connected]
            refused = self.are_refused
        if refused:
            shut_down(connected)

    def refuse(self) -> None:
        """Shut down all, and every one that comes."""
        with self._lock:
            self.are_refused = True
            live, self._sockets = self._sockets, []
        for connected in live:
            shut_down(connected)


class TrackingAdapter(HTTPAdapter):
    """Makes connections that report their socket, and how far their request is."""

    def __init__(self, sockets: LiveSockets, watch: Watch) -> None:
        """Prepare.

        Args:
            sockets: Told of each connection.
            watch: Of the requests of the one thread that uses this.
        """
        self._pools = _pool_classes(sockets, watch)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make plain and TLS connections of ours."""
        super().init_poolmanager(*args, socket_options=SOCKET_OPTIONS, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """The same through a proxy."""
        manager: PoolManager = super().proxy_manager_for(
            proxy, socket_options=SOCKET_OPTIONS, **options
        )
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(sockets: LiveSockets, watch: Watch) -> dict[str, Any]:
    def note(*connected: Any) -> None:
        for each in connected:
            sockets.add(each)
        watch.attach(*connected)

    class PlainConnection(HTTPConnection):
        def connect(self) -> None:
            watch.is_fresh = True
            super().connect()
            note(self.sock)

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            watch.send(self.sock, data)

        def getresponse(self) -> Any:
            watch.wait()
            return _in_time(super().getresponse(), watch)

    class SecureConnection(HTTPSConnection):
        _handle: socket.socket | None = None

        def connect(self) -> None:
            watch.is_fresh = True
            try:
                super().connect()
            finally:
                if self._handle is not None:
                    self._handle.close()
                self._handle = None
            note(self.sock)

        def _new_conn(self) -> socket.socket:
            # `ssl` takes the socket away for the time of the handshake. A second handle of the
            # same connection can end it then, also one to a proxy that does not answer.
            connected = super()._new_conn()
            self._handle = connected.dup()
            note(self._handle)
            return connected

        def send(self, data: Any) -> None:
            if self._handle is not None:  # the words to a proxy are a part of connecting
                super().send(data)
                return
            if self.sock is None:
                self.connect()
            watch.send(self.sock, data)

        def getresponse(self) -> Any:
            watch.wait()
            return _in_time(super().getresponse(), watch)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": PlainPool, "https": SecurePool}


def _in_time(answer: Any, watch: Watch) -> Any:
    try:
        watch.read()
    except TimeoutError:
        answer.close()
        raise
    return answer
