"""Performs one HTTP request. Only this file and its two helpers know `requests`."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import requests
from urllib3.exceptions import HTTPError

from alectio_agent.agent.client.connections import LightSession, LiveSockets, TrackingAdapter
from alectio_agent.agent.client.network import read_network
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.core.log import printable
from alectio_agent.wire.protocol import MAX_ANSWER_BYTES

CONNECT_TIMEOUT_S = 10.0
CHUNK_BYTES = 64 * 1024
NO_TLS = "that port speaks no TLS"
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""How OpenSSL's versions name an answer that is plain text."""


@dataclass(frozen=True)
class Request:
    """What to send.

    Attributes:
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Below the platform's URL, with a leading slash.
        body: Bytes, or a file to stream from disk.
        read_timeout_s: Longest silence while waiting for the answer.
        total_s: Longest time from the first byte of the answer to its last.
        limit_bytes: Largest answer that is read.
        sink: Takes the bytes of a success as they come; the answer's body is then empty.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path | None = None
    read_timeout_s: float = 30.0
    total_s: float = 120.0
    limit_bytes: int = MAX_ANSWER_BYTES
    sink: Callable[[bytes], None] | None = None


@dataclass(frozen=True)
class Response:
    """What came back, whole; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Performs requests against one platform."""

    def send(self, request: Request) -> Response:
        """Perform one request.

        Raises:
            PlatformUnavailableError: No whole answer came.
        """

    def interrupt(self) -> None:
        """Cut every request in flight, and refuse new ones."""


class HttpTransport:
    """HTTP over the network, one session per thread, redirects never followed."""

    def __init__(
        self,
        url: str,
        environment: Mapping[str, str],
        clock: Clock,
        traffic: Traffic | None = None,
    ) -> None:
        """Read proxies and the CA once, so that no later call looks at the environment.

        Args:
            url: Of the platform, without a trailing slash.
            environment: For proxy variables and `REQUESTS_CA_BUNDLE`.
            clock: For the total deadline.
            traffic: Told of each answer, and of each that did not come.
        """
        self._traffic = traffic or Traffic(clock)
        self._url = url.rstrip("/")
        self._clock = clock
        self._network = read_network(self._url, environment)
        self._sessions = threading.local()
        self._sockets = LiveSockets()

    def send(self, request: Request) -> Response:
        """Perform one request; see `Transport`."""
        if self._sockets.are_refused:
            raise PlatformUnavailableError(f"{self._url}: the request was interrupted")
        try:
            return self._send(request)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._silence(request, _reason(error)) from error
        except PlatformUnavailableError as error:
            self._traffic.note_silence(error.message)
            raise

    def interrupt(self) -> None:
        """Shut down every live socket; see `Transport`."""
        self._sockets.refuse()

    def _send(self, request: Request) -> Response:
        if isinstance(request.body, Path):
            with request.body.open("rb") as stream:
                response = self._perform(request, stream)
                self._traffic.note_answer(stream.tell())
                return response
        response = self._perform(request, request.body)
        self._traffic.note_answer(len(request.body or b""))
        return response

    def _silence(self, request: Request, reason: str) -> PlatformUnavailableError:
        if not self._sockets.are_refused:  # what the stop itself has cut says nothing
            self._traffic.note_silence(reason)
        return PlatformUnavailableError(
            f"{self._url}: no answer to {request.method} {request.path}: {reason}"
        )

    def _perform(self, request: Request, body: bytes | BinaryIO | None) -> Response:
        with self._session().request(
            request.method,
            self._url + request.path,
            data=body,
            headers={"Accept-Encoding": "identity", **request.headers},
            timeout=(CONNECT_TIMEOUT_S, request.read_timeout_s),
            allow_redirects=False,
            stream=True,
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, headers, self._read(answer, request))

    def _read(self, answer: requests.Response, request: Request) -> bytes:
        """Read at most the limit, and no longer than the total deadline."""
        started = self._clock.monotonic()
        received, size_bytes = bytearray(), 0
        take = request.sink if request.sink and answer.status_code == 200 else received.extend
        while chunk := answer.raw.read1(CHUNK_BYTES):
            take(chunk)
            size_bytes += len(chunk)
            if size_bytes > request.limit_bytes:
                raise PlatformUnavailableError(
                    f"{self._url}: the answer to {request.method} {request.path} is larger than "
                    f"{request.limit_bytes} bytes"
                )
            if self._clock.monotonic() - started > request.total_s:
                raise PlatformUnavailableError(
                    f"{self._url}: the answer to {request.method} {request.path} took longer "
                    f"than {request.total_s:g} s"
                )
        return bytes(received)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = LightSession()
            session.trust_env = False
            session.proxies.update(self._network.proxies)
            if self._network.ca_file:
                session.verify = self._network.ca_file
            for scheme in ("http://", "https://"):
                session.mount(scheme, TrackingAdapter(self._sockets))
            self._sessions.session = session
        return session


def _reason(error: BaseException) -> str:
    """The innermost cause in a few words, such as `Connection refused`."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return NO_TLS
    return printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
