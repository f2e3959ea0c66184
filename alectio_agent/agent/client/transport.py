"""Performs one HTTP request. Only this file and its two helpers know `requests`."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import requests
from urllib3.exceptions import HTTPError

from alectio_agent.agent.client.connections import LightSession, LiveSockets
from alectio_agent.agent.client.deadlines import SLACK_S, Deadlines, Watch
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.client.lateness import Line, is_stale, kind, late_reason, line_of
from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.recording import UNRECORDED, recorded, way_to
from alectio_agent.agent.client.silence import Silence, proxy_refuses, why_silent
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.client.verifying import VerifyingAdapter
from alectio_agent.agent.journal.outgoing import About, Record, Unrecorded
from alectio_agent.core.clock import Clock, SystemClock
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.core.log import printable
from alectio_agent.wire.protocol import MAX_ANSWER_BYTES, PROBLEM_MEDIA_TYPE

CONNECT_TIMEOUT_S = 10.0
CHUNK_BYTES = 64 * 1024
CONNECT_TOTAL_S = 30.0
"""With all that a proxy and TLS have to say."""
SOON_S = 2.0
"""A kept connection that ends so soon had ended before: a poll that is cut later was held."""
_LOWER = (requests.RequestException, HTTPError, OSError, PlatformUnavailableError)


@dataclass(frozen=True)
class Request:
    """What to send.

    Attributes:
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Below the platform's URL, with a leading slash.
        body: Bytes, or a file or some bytes of one to stream from disk.
        read_timeout_s: Longest silence while waiting for the answer; its headers have to be here
            5 s later.
        total_s: Longest time from the headers of the answer to its last byte.
        limit_bytes: Largest answer that is read.
        sink: Takes the bytes of a success as they come; the answer's body is then empty.
        is_repeatable: Asking twice does no more than asking once.
        about: What the record says of it; None for calls that are no agent's.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path | FileSlice | None = None
    read_timeout_s: float = 30.0
    total_s: float = 120.0
    limit_bytes: int = MAX_ANSWER_BYTES
    sink: Callable[[bytes], None] | None = None
    is_repeatable: bool = True
    about: About | None = None


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

    def cut(self) -> None:
        """Cut every request in flight, which says `interrupted`; new ones are sent as ever."""

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
        network: Network | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        """Read proxies and CAs once, so that no later call looks at the environment.

        Args:
            url: Of the platform, without a trailing slash.
            environment: For variables of proxies and of CAs, when `network` is not given.
            clock: For how long a request has taken.
            traffic: Told of each answer, and of each that did not come.
            network: How the platform is reached, shared with other transports.
            deadlines: Those of the whole process; its own when not given.

        Raises:
            ConfigError: A proxy or a file of CAs that the environment names cannot be used.
        """
        self._traffic = traffic or Traffic(clock)
        self._url = url.rstrip("/")
        self._clock = clock
        self._network = network or read_network(self._url, environment)
        self._deadlines = deadlines or Deadlines(SystemClock())
        self._sessions = threading.local()
        self._sockets = LiveSockets()
        self._way = way_to(self._url, self._network.proxy)
        self.record: Record = Unrecorded()

    def send(self, request: Request) -> Response:
        """Perform one request; see `Transport`."""
        if self._sockets.are_refused:
            raise self._silence(request, Silence("the request was interrupted"), "interrupted")
        session, watch = self._line()
        started_s, cuts = self._clock.monotonic(), self._sockets.cuts
        try:
            return self._send(session, watch, request)
        except _LOWER as error:
            is_soon = self._clock.monotonic() - started_s <= SOON_S
            may_repeat = request.is_repeatable and is_soon and self._sockets.cuts == cuts
            if not (may_repeat and is_stale(error, watch)):
                line = line_of(watch, is_soon=is_soon)
                raise self._no_answer(request, line, watch, error, cuts) from error
        started_s = self._clock.monotonic()
        try:
            return self._send(session, watch, request)
        except _LOWER as error:
            line = line_of(watch, is_soon=self._clock.monotonic() - started_s <= SOON_S)
            raise self._no_answer(request, line, watch, error, cuts) from error

    def cut(self) -> None:
        """Shut down every live socket; see `Transport`."""
        self._sockets.cut()

    def interrupt(self) -> None:
        """Shut down every live socket, and refuse new ones; see `Transport`."""
        self._sockets.refuse()

    def _send(self, session: LightSession, watch: Watch, request: Request) -> Response:
        """Send once: written down each time, before anything leaves."""
        if request.about is None:
            return self._exchange(session, watch, request)
        with recorded(self.record, request.about, self._way, request.body) as ending:
            try:
                response = self._exchange(session, watch, request)
            except _LOWER as error:
                ending.text = f"no answer: {self._no_answer_kind(error, watch)}"
                raise
            ending.text = str(response.status)
            return response

    def _exchange(self, session: LightSession, watch: Watch, request: Request) -> Response:
        watch.begin(CONNECT_TOTAL_S, request.read_timeout_s + SLACK_S, request.total_s)
        try:
            if isinstance(request.body, Path):
                with request.body.open("rb") as stream:
                    response = self._perform(session, request, stream)
                    sent_bytes = stream.tell()
            else:
                response = self._perform(session, request, request.body)
                sent_bytes = len(request.body or b"")
        finally:
            watch.end()
        if watch.is_over:  # an answer without a length looks whole when it was cut
            raise TimeoutError
        self._traffic.note_answer(sent_bytes)
        return response

    def _no_answer(
        self, request: Request, line: Line, watch: Watch, error: Exception, cuts: int
    ) -> PlatformUnavailableError:
        if isinstance(error, PlatformUnavailableError):
            if error.silence != UNRECORDED:  # that is no word about the platform
                self._traffic.note_silence(error.message)
            return error
        late = late_reason(error, watch, request.read_timeout_s)
        why = Silence(late) if late else why_silent(error, self._url, self._network, line)
        if self._sockets.cuts > cuts:
            return self._silence(request, why, "interrupted")
        self._traffic.note_silence(why.reason)  # what this agent itself has cut says nothing
        return self._silence(request, why, kind(error, watch))

    def _silence(self, request: Request, why: Silence, silence: str) -> PlatformUnavailableError:
        call = f"{self._url}: no answer to {request.method} {request.path}"
        message = why.reason if why.is_whole else f"{call}: {why.reason}"
        return PlatformUnavailableError(message, code=why.code, hint=why.hint, silence=silence)

    @staticmethod
    def _no_answer_kind(error: Exception, watch: Watch) -> str:
        return error.silence if isinstance(error, PlatformUnavailableError) else kind(error, watch)

    def _check_proxy(self, request: Request, status: int) -> None:
        """Name a proxy that wants a password; through a tunnel no 407 can come from it."""
        if status == 407 and self._network.proxy is not None:
            why = proxy_refuses(status, self._network.proxy, self._url)
            raise self._silence(request, why, "foreign")

    def _foreign(self, request: Request, what: str) -> PlatformUnavailableError:
        return PlatformUnavailableError(
            f"{self._url}: the answer to {request.method} {request.path} {what}",
            code="E-NET-02",
            silence="foreign",
        )

    def _perform(
        self, session: LightSession, request: Request, body: bytes | BinaryIO | FileSlice | None
    ) -> Response:
        with session.request(
            request.method,
            self._url + request.path,
            data=body,
            headers={"Accept-Encoding": "identity", **request.headers},
            timeout=(CONNECT_TIMEOUT_S, request.read_timeout_s),
        ) as answer:
            self._check_proxy(request, answer.status_code)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            received = self._read(answer, headers, request)
        if answer.status_code >= 300 and not _is_problem(headers):
            # Somebody else answers: perhaps the name leads to another machine by now.
            session.close()
        return Response(answer.status_code, headers, received)

    def _read(
        self, answer: requests.Response, headers: Mapping[str, str], request: Request
    ) -> bytes:
        """Read at most the limit; the deadlines end what takes too long."""
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise self._foreign(request, f"is packed ({printable(encoding, 20)}), unasked")
        if (answer.raw.length_remaining or 0) > request.limit_bytes:
            raise self._foreign(request, f"is larger than {request.limit_bytes} bytes")
        received, size_bytes = bytearray(), 0
        take = request.sink if request.sink and answer.status_code == 200 else received.extend
        while chunk := answer.raw.read1(CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > request.limit_bytes:
                raise self._foreign(request, f"is larger than {request.limit_bytes} bytes")
            take(chunk)
        return bytes(received)

    def _line(self) -> tuple[LightSession, Watch]:
        """The session of this thread, and the watch over its requests."""
        line: tuple[LightSession, Watch] | None = getattr(self._sessions, "line", None)
        if line is None:
            watch = Watch(self._deadlines)
            line = self._session(watch), watch
            self._sessions.line = line
        return line

    def _session(self, watch: Watch) -> LightSession:
        session = LightSession()
        session.trust_env = False
        for said_anyway in ("Accept", "Connection"):  # all, and keep-alive
            del session.headers[said_anyway]
        if self._network.proxy is not None:
            session.proxies["all"] = self._network.proxy.url
        for scheme in ("http://", "https://"):
            session.mount(scheme, VerifyingAdapter(self._sockets, watch, self._network))
        return session


def _is_problem(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith(PROBLEM_MEDIA_TYPE)
