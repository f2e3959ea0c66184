"""One connection of a client: what it owes is waited for, but not for ever."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alectio_agent.wire.protocol import PROBLEM_MEDIA_TYPE
from alectio_agent.wire.strict_json import dumps

PATIENCE_S = 30.0
"""For the head of a request, and for the next bytes of a body."""
MAX_HEAD_BYTES = 64 * 2**10
TOLD = {
    400: "These bytes are no HTTP request.",
    408: "The request did not arrive whole in time.",
    431: f"The head of the request is larger than {MAX_HEAD_BYTES} bytes.",
}


class Connection(HttpToolsProtocol):
    """Ends with a client that sends its request drop by drop, or none at all.

    The server's own timer looks only at the time between requests, and forgets a connection whose
    body went on after the answer: whoever opens thousands of them could keep the others out.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Wait for nothing yet; arguments as the server gives them."""
        super().__init__(*args, **options)
        self._is_in_head = False
        self._is_in_body = False
        self._head_bytes = 0
        self._heard_at = 0.0
        self._overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a first request."""
        super().connection_made(transport)
        self._expect(PATIENCE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and look what is still owed."""
        self._heard_at = self.loop.time()
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431)
                return
        if self._is_in_head or self._is_in_body:
            self._expect(PATIENCE_S)
        else:
            self._relax()
            self._mind_idleness()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        super().on_headers_complete()  # raises over a path that is none: still in the head then
        self._is_in_head, self._is_in_body = False, True

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body.

        The server copies each into an array, and again out of it: a fifth of the time that a bulk
        result takes here. One that nothing waits before goes on as it is.
        """
        cycle = self.cycle
        if cycle.body or cycle.response_complete:
            if not isinstance(cycle.body, bytearray):
                cycle.body = bytearray(cycle.body)
            super().on_body(body)
        else:
            cycle.body = body  # type: ignore[assignment] # it is only measured, added to and read
            super().on_body(b"")

    def on_message_complete(self) -> None:
        """It is whole."""
        self._is_in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the server's own words
        """Answer bytes that are no request with a problem document, as everything else."""
        self._refuse(400)

    def _unsupported_upgrade_warning(self) -> None:
        """A client may offer another protocol; the answer in this one says enough."""

    @property
    def _is_answering(self) -> bool:
        # None before the first request, which the server's types do not say.
        return bool(self.cycle) and not self.cycle.response_complete

    def _expect(self, seconds: float) -> None:
        if self._overdue is None:
            self._overdue = self.loop.call_later(seconds, self._look)

    def _relax(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _mind_idleness(self) -> None:
        """The server's own timer was ended by bytes that began no request."""
        if not self._is_answering and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _look(self) -> None:
        """Time is up, unless a body goes on, or it is the hub that does not read on."""
        self._overdue = None
        left_s = self._left_s()
        if left_s > 0:
            self._expect(left_s)
        elif self._is_in_head or self._is_in_body:
            self._refuse(408)
        else:
            self.transport.close()  # it never said a word

    def _left_s(self) -> float:
        if not (self._is_in_body and self._is_answering):
            return 0.0
        if self.flow.read_paused:
            return PATIENCE_S
        return PATIENCE_S - (self.loop.time() - self._heard_at)

    def _refuse(self, status: int) -> None:
        """Say what is wrong, unless something was said to this request already, and close."""
        if self._may_answer():
            self.transport.write(_answer(status))
            if self._is_answering:  # the application need not answer as well
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        self.transport.close()

    def _may_answer(self) -> bool:
        if self._is_answering:
            return self._is_in_body and not (self.cycle.response_started or self.pipeline)
        return not self._is_in_body


def _answer(status: int) -> bytes:
    reason = HTTPStatus(status).phrase
    document = {
        "type": "about:blank",
        "title": reason,
        "status": status,
        "detail": TOLD[status],
    }
    body = dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
