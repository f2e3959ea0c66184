"""Reads the exchanges of docs/wire.md, and plays them against a hub, block by block."""

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"
_FENCE = re.compile(r"^```(http|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"\{([a-z0-9_]+)\}")
_NUMBER = re.compile(r'(?<!")\{([a-z0-9_]+)\}(?!")')
_BYTES = re.compile(r"<bytes (\d+) to (end|\d+) of the part>")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        line: Of the page, for messages.
        first: The request line or the status line; empty of code.
        headers: As shown.
        body: As shown; of code, the code.
    """

    line: int
    first: str
    headers: dict[str, str]
    body: str

    @property
    def is_code(self) -> bool:
        return not self.first

    @property
    def is_answer(self) -> bool:
        return self.first.startswith("HTTP/1.1 ")


def read_page(page: Path = PAGE) -> list[Block]:
    """The blocks of the page, in their order."""
    text = page.read_text("utf-8")
    return [
        _block(text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in _FENCE.finditer(text)
    ]


def _block(line: int, kind: str, text: str) -> Block:
    if kind == "python":
        return Block(line, "", {}, text)
    head, _, body = text.partition("\n\n")
    first, *rest = head.strip().split("\n")
    headers = dict(one.split(": ", 1) for one in rest)
    return Block(line, first, headers, body.strip())


def exchanges(blocks: list[Block]) -> Iterator[tuple[Block, Block]]:
    """Requests with their answers; code between them is left out."""
    told = [block for block in blocks if not block.is_code]
    for asked, answered in zip(told[::2], told[1::2], strict=True):
        assert not asked.is_answer, f"wire.md:{asked.line}: expected a request"
        assert answered.is_answer, f"wire.md:{answered.line}: expected an answer"
        yield asked, answered


@dataclass
class Player:
    """Plays blocks over one connection.

    Attributes:
        address: Host and port of the hub.
        known: What placeholders stand for, such as `token`; grows with the answers.
        part: Bytes that code of the page made.
        bodies: Every JSON body that went over the wire: method, path as shown, status (0 of a
            request), document.
    """

    address: str
    known: dict[str, Any]
    part: bytes = b""
    bodies: list[tuple[str, str, int, Any]] = field(default_factory=list)

    def play(self, blocks: list[Block]) -> None:
        """Play all of them."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        asked: Block | None = None
        try:
            for block in blocks:
                if block.is_code:
                    self._run(block)
                elif not block.is_answer:
                    asked = block
                    self._ask(connection, block)
                else:
                    assert asked is not None, f"wire.md:{block.line}: an answer to nothing"
                    self._compare(connection.getresponse(), asked, block)
                    asked = None
        finally:
            connection.close()

    def _run(self, block: Block) -> None:
        names: dict[str, Any] = {}
        exec(compile(block.body, f"wire.md:{block.line}", "exec"), names)
        self.part = names["part"]
        size = len(self.part)
        self.known |= {"sha256": names["sha256"], "size": size, "last": size - 1}

    def _ask(self, connection: http.client.HTTPConnection, block: Block) -> None:
        method, path = self._filled(block.first).split(" ")
        headers = {name: self._filled(value) for name, value in block.headers.items()}
        body = self._content(block)
        if headers.get("Content-Type") == "application/json":
            template = block.first.split(" ")[1]
            self.bodies.append((method, template, 0, json.loads(body)))
        connection.request(method, path, body, headers)

    def _content(self, block: Block) -> bytes:
        if found := _BYTES.fullmatch(block.body):
            stop = None if found[2] == "end" else int(found[2]) + 1
            return self.part[int(found[1]) : stop]
        return self._filled(block.body).encode()

    def _filled(self, text: str) -> str:
        """With placeholders that are known; others are braces of JSON."""
        return _PLACE.sub(lambda found: str(self.known.get(found[1], found[0])), text)

    def _compare(self, answer: http.client.HTTPResponse, asked: Block, shown: Block) -> None:
        where = f"wire.md:{shown.line}"
        content = answer.read()
        assert answer.status == int(shown.first.split(" ")[1]), f"{where}: {content!r}"
        for name, value in shown.headers.items():
            assert answer.headers[name] == value, f"{where}: {name}: {answer.headers[name]}"
        if not shown.body:
            assert content == b"", f"{where}: {content!r}"
            return
        found = json.loads(content)
        method, path = asked.first.split(" ")
        self.bodies.append((method, path, answer.status, found))
        self._match(json.loads(self._numbered(shown.body)), found, where)

    def _numbered(self, text: str) -> str:
        """With placeholders that stand for numbers; those in quotes are compared as they are."""
        return _NUMBER.sub(lambda found: str(self.known[found[1]]), text)

    def _match(self, shown: Any, found: Any, where: str) -> None:
        """Compare what is shown; a placeholder is learnt when it is new."""
        if isinstance(shown, str) and (place := _PLACE.fullmatch(shown)):
            assert self.known.setdefault(place[1], found) == found, where
        elif isinstance(shown, dict):
            assert isinstance(found, dict), f"{where}: {found!r}"
            for name, value in shown.items():
                assert name in found, f"{where}.{name} is not in {found!r}"
                self._match(value, found[name], f"{where}.{name}")
        elif isinstance(shown, list):
            assert isinstance(found, list), f"{where}: {found!r}"
            assert len(found) == len(shown), f"{where}: {found!r}"
            for at, (one, other) in enumerate(zip(shown, found, strict=True)):
                self._match(one, other, f"{where}[{at}]")
        else:
            assert found == shown, f"{where}: shown {shown!r}, found {found!r}"
