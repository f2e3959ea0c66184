"""Connections whose sockets are known, so that another thread can shut them down."""

import os
import socket
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

import requests
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
    """Makes connections that report their socket, all to one platform."""

    def __init__(self, sockets: LiveSockets) -> None:
        """Prepare.

        Args:
            sockets: Told of each connection.
        """
        self._pools = _pool_classes(sockets)
        self._pool: Any = None
        self._is_forwarded: bool | None = None
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

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """The pool of the one platform, looked up once."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **options)
        return self._pool

    def close(self) -> None:
        """End all connections; the next call looks the way up again."""
        self._pool = None
        super().close()

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """What is asked for: the whole URL at a proxy that forwards it, else what is behind it."""
        assert request.url is not None  # noqa: S101 - the line made it
        if self._is_forwarded is None:
            self._is_forwarded = not super().request_url(request, proxies).startswith("/")
        if self._is_forwarded:
            return request.url
        return request.url[request.url.index("/", len("https://")) :]

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """An answer without cookies and a guessed encoding, which nobody reads."""
        answer = requests.Response()
        answer.request, answer.raw = req, resp
        answer.status_code, answer.headers = resp.status, resp.headers
        return answer


class LightSession(requests.Session):
    """A session for calls that differ in little, all to one platform.

    Another one merges settings, hooks and cookies anew for each call: two thirds of what a call
    costs. This one has neither hooks nor cookies, and follows no redirect.
    """

    def request(  # type: ignore[override] # what the transport passes, and no more
        self,
        method: str,
        url: str,
        *,
        data: bytes | BinaryIO | None = None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        **_: object,
    ) -> requests.Response:
        """Perform a request; the answer's body is still to be read, from `raw`.

        Args:
            method: Such as `POST`.
            url: Whole, and quoted where it must be.
            data: Bytes, or an opened file.
            headers: Beside those of every call.
            timeout: Seconds to connect, and of the longest silence while waiting for the answer.
        """
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = method, url
        prepared.body = data  # type: ignore[assignment] # an opened file is streamed
        told = {**self.headers, **headers}
        if data is not None:
            told["Content-Length"] = str(_size_bytes(data))
        prepared.headers = told  # type: ignore[assignment] # nobody asks it in other letters
        return self.get_adapter(url).send(
            prepared,
            stream=True,
            timeout=timeout,
            verify=True if self.verify is None else self.verify,
            cert=self.cert,
            proxies=self.proxies,
        )


def _size_bytes(body: bytes | BinaryIO) -> int:
    if isinstance(body, bytes):
        return len(body)
    return os.fstat(body.fileno()).st_size - body.tell()


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
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already
