"""Connections whose sockets are known, so that another thread can shut them down."""

import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager


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
            _shut_down(connected)

    def refuse(self) -> None:
        """Shut down all, and every one that comes."""
        with self._lock:
            self.are_refused = True
            live, self._sockets = self._sockets, []
        for connected in live:
            _shut_down(connected)


class TrackingAdapter(HTTPAdapter):
    """Makes connections that report their socket."""

    def __init__(self, sockets: LiveSockets) -> None:
        """Prepare.

        Args:
            sockets: Told of each connection.
        """
        self._pools = _pool_classes(sockets)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make plain and TLS connections of ours."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """The same through a proxy."""
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(sockets: LiveSockets) -> dict[str, Any]:
    class PlainConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class SecureConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": PlainPool, "https": SecurePool}


def _shut_down(connected: socket.socket) -> None:
    # That of a TLS socket forgets the encryption first: what another thread writes at that moment,
    # such as a token, would leave in the clear. TLS inside TLS has its socket one level below.
    plain = getattr(connected, "socket", connected)
    try:
        socket.socket.shutdown(plain, socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already
