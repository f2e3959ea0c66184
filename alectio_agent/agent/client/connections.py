"""Connections whose sockets are known, so that another thread can shut them down."""

import os
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.util import connection as dialling

from alectio_agent.agent.client.deadlines import Watch, shut_down
from alectio_agent.agent.client.exchange import Answer, Exchange
from alectio_agent.agent.client.file_slice import FileSlice

UNSENT_BYTES = 256 * 2**10
"""The kernel takes no more than this beyond what is on its way. Otherwise it would swallow a whole
slice at once, and a slow line could not be told from a dead one."""
ALERT_S = 1.0
"""For the last words of an end that has hung up: they are here, or never come."""
SOCKET_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES),
]
# urllib3 learns whether there is IPv6 by binding a socket when it is imported. A service that may
# bind nothing (SocketBindDeny=any) would be told that there is none, and never reach a platform
# without an IPv4 address. What this system can do is known without asking.
dialling.HAS_IPV6 = socket.has_ipv6


class LiveSockets:
    """The sockets of all sessions, so that another thread can shut them down."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.are_refused = False
        self.cuts = 0

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
        self.are_refused = True
        self.cut()

    def cut(self) -> None:
        """Shut down those that live now, and count it in `cuts`."""
        with self._lock:
            self.cuts += 1
            live, self._sockets = self._sockets, []
        for connected in live:
            shut_down(connected)


class TrackingAdapter(HTTPAdapter):
    """Makes connections to one platform that report their socket, and how far their request is."""

    def __init__(self, sockets: LiveSockets, watch: Watch) -> None:
        """Prepare.

        Args:
            sockets: Told of each connection.
            watch: Of the requests of the one thread that uses this.
        """
        self._pools = _pool_classes(sockets, watch)
        self._pool: Any = None
        self._is_forwarded: bool | None = None
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
        data: bytes | BinaryIO | FileSlice | None = None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
    ) -> requests.Response:
        """Perform a request; the answer's body is still to be read, from `raw`.

        Args:
            method: Such as `POST`.
            url: Whole, and quoted where it must be.
            data: Bytes, an opened file, or some bytes of one.
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
            prepared, stream=True, timeout=timeout, proxies=self.proxies
        )


def _size_bytes(body: bytes | BinaryIO | FileSlice) -> int:
    if isinstance(body, bytes | FileSlice):
        return len(body)
    return os.fstat(body.fileno()).st_size - body.tell()


def _pool_classes(sockets: LiveSockets, watch: Watch) -> dict[str, Any]:
    def note(*connected: Any) -> None:
        for each in connected:
            sockets.add(each)
        watch.attach(*connected)

    class PlainConnection(Exchange, HTTPConnection):
        response_class = Answer

        def connect(self) -> None:
            watch.is_fresh = True
            super().connect()
            note(self.sock)

        def transmit(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            watch.send(self.sock, data)

        def getresponse(self) -> Any:
            watch.wait()
            return _in_time(super().getresponse(), watch)

    class SecureConnection(Exchange, HTTPSConnection):
        response_class = Answer
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

        def transmit(self, data: Any) -> None:
            if self._handle is not None:  # the words to a proxy are a part of connecting
                HTTPSConnection.send(self, data)
                return
            if self.sock is None:
                self.connect()
            ended: ssl.SSLError | None = None
            try:
                watch.send(self.sock, data)
            except ssl.SSLEOFError as error:
                ended = error
            if ended is not None:
                # Who misses our certificate says so and hangs up, while we are sending.
                raise _alert(self.sock) or ended

        def getresponse(self) -> Any:
            watch.wait()
            return _in_time(super().getresponse(), watch)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": PlainPool, "https": SecurePool}


def _alert(connected: Any) -> ssl.SSLError | None:
    """What the other end said last, if it can still be read."""
    connected.settimeout(ALERT_S)
    try:
        connected.recv(1)
    except ssl.SSLError as error:
        return error
    except OSError:
        return None
    return None


def _in_time(answer: Any, watch: Watch) -> Any:
    try:
        watch.read()
    except TimeoutError:
        answer.close()
        raise
    return answer
