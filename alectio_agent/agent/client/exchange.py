"""What a connection does for each call, and no more: small calls are most of an agent's work."""

import http.client
from http.client import HTTPException, HTTPMessage, LineTooLong, UnknownProtocol
from typing import Any, BinaryIO

LONGEST_LINE = 64 * 2**10
MOST_HEADERS = 100
SMALL_BYTES = 64 * 2**10
CONTINUE, OK, NO_CONTENT, NOT_MODIFIED = 100, 200, 204, 304


class Exchange:
    """For a connection of urllib3: a head leaves together with a small body, or its beginning.

    The other side then wakes up once for a call, and not for its head first.
    """

    _holds = False
    _head = b""

    def request(self, *args: Any, **options: Any) -> None:
        """Send a request."""
        self._holds, self._head = True, b""
        try:
            super().request(*args, **options)  # type: ignore[misc] # of urllib3
        finally:
            self._holds = False
        if self._head:  # there was no body
            self.send(b"")

    def putheader(self, header: Any, *values: Any) -> None:
        """Add a header; none of ours tells urllib3 to leave out one of its own."""
        http.client.HTTPConnection.putheader(self, header, *values)  # type: ignore[arg-type]

    def send(self, data: Any) -> None:
        """Send bytes; the first ones of a request, which are its head, wait for the next ones."""
        if self._holds:
            self._holds, self._head = False, data
            return
        head, self._head = self._head, b""
        if head and len(head) + len(data) > SMALL_BYTES:
            self.transmit(head)
            head = b""
        self.transmit(head + data if head else data)

    def transmit(self, data: Any) -> None:
        """Send bytes now."""
        raise NotImplementedError


class Answer(http.client.HTTPResponse):
    """An answer whose headers are read line by line; `email` takes them for a letter.

    A header that goes on in the next line is refused: nobody may send one any more, and two sides
    that read it differently see different answers.
    """

    def begin(self) -> None:
        """Read status and headers, and how the end of the body will be known."""
        if self.headers is not None:
            return
        version, status, reason = self._read_status()
        while status == CONTINUE:
            read_headers(self.fp)
            version, status, reason = self._read_status()
        if not version.startswith(("HTTP/1.", "HTTP/0.9")):
            raise UnknownProtocol(version)
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        found = self.headers = self.msg = read_headers(self.fp)
        named = {name.lower(): value for name, value in reversed(found.items())}
        self.chunked = named.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else _length(named.get("content-length", ""))
        if status < OK or status in (NO_CONTENT, NOT_MODIFIED):
            self.length = 0
        has_no_end = not self.chunked and self.length is None
        self.will_close = has_no_end or self._is_last(named)

    def _is_last(self, named: dict[str, str]) -> bool:
        """Whether the connection ends with this answer."""
        if self.version == 11:
            return "close" in named.get("connection", "").lower()
        return bool(self._check_close())  # type: ignore[attr-defined]


def read_headers(stream: BinaryIO) -> HTTPMessage:
    """Read headers up to the empty line behind them, or to the end of what comes.

    Args:
        stream: Stands behind the line with the status.

    Raises:
        HTTPException: One is no header, or there are too many, or too long ones.
    """
    found = HTTPMessage()
    for _ in range(MOST_HEADERS + 1):
        line = stream.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise LineTooLong("header line")
        if line in (b"\r\n", b"\n", b""):
            return found
        name, colon, value = line.decode("iso-8859-1").partition(":")
        if not colon or not name or name.split() != [name]:
            raise HTTPException("a line among the headers of the answer is no header")
        found[name] = value.strip()
    raise HTTPException(f"got more than {MOST_HEADERS} headers")


def _length(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() else None
