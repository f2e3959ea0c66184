"""Calls an ASGI application without a socket, and without a client library."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The problem's type; fails when the answer is no problem document."""
        assert self.headers["content-type"] == "application/problem+json", self
        document = self.json
        assert document["status"] == self.status, document
        return str(document["type"])


class Exchange:
    """One request in flight, whose client can go away."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = list(chunks) or [b""]
        self._gone = asyncio.Event()
        self._sent: list[Message] = []

    def hang_up(self) -> None:
        self._gone.set()

    async def receive(self) -> Message:
        if self._chunks:
            chunk = self._chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self._sent.append(message)

    def answer(self) -> Answer:
        start = self._sent[0]
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        body = b"".join(message.get("body", b"") for message in self._sent[1:])
        return Answer(start["status"], headers, body)


async def call(
    app: Application,
    method: str,
    target: str,
    *,
    headers: dict[str, str] | None = None,
    chunks: Iterable[bytes] = (),
    exchange: Exchange | None = None,
) -> Answer:
    """Perform one request."""
    exchange = exchange or Exchange(chunks)
    await app(scope_of(method, target, headers or {}), exchange.receive, exchange.send)
    return exchange.answer()


def scope_of(method: str, target: str, headers: dict[str, str]) -> dict[str, Any]:
    parts = urlsplit(target)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8642),
    }
