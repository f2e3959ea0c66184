"""Request bodies: every way to be wrong gets a short, readable refusal."""

import asyncio
import gzip
import json
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.api.bodies import THREAD_BYTES, UNPACKED_BYTES, read_chunks, read_record
from alectio_agent.wire.results import JobFailure, StepCommit
from tests.support.asgi import Exchange, scope_of

pytestmark = pytest.mark.anyio

COMMIT: dict[str, Any] = {"key": "k1", "media_type": "application/json", "rows": 1}
LIMIT = 4096


def request(chunks: Iterable[bytes], **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(scope_of("PUT", "/", named), Exchange(chunks).receive)


async def refusal(chunks: Iterable[bytes], **headers: str) -> str:
    with pytest.raises(ProblemError) as caught:
        await read_record(request(chunks, **headers), StepCommit, LIMIT)
    assert caught.value.problem == "invalid"
    return caught.value.message


async def test_a_record_is_read_from_pieces() -> None:
    body = json.dumps(COMMIT).encode()
    record = await read_record(request([body[:5], b"", body[5:]]), StepCommit, LIMIT)
    assert record.key == "k1"


async def test_a_gzip_body_is_unpacked() -> None:
    body = gzip.compress(json.dumps(COMMIT).encode())
    record = await read_record(
        request([body[:9], body[9:]], content_encoding="gzip"), StepCommit, LIMIT
    )
    assert record.rows == 1


async def test_unknown_fields_are_ignored() -> None:
    body = json.dumps({**COMMIT, "of_a_later_version": [1]}).encode()
    assert (await read_record(request([body]), StepCommit, LIMIT)).key == "k1"


async def test_a_large_body_is_parsed_all_the_same() -> None:
    """It takes the way through a thread."""
    body = json.dumps({**COMMIT, "warnings": ["w" * THREAD_BYTES]}).encode()
    record = await read_record(request([body]), StepCommit, len(body))
    assert len(record.warnings[0]) == THREAD_BYTES


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"key": "k1"', "not JSON"),
        (b'{"key": "\xff"}', "not UTF-8 at byte 9"),
        (b"[]", "the body is a list, not an object"),
        (b'"text"', "the body is a str, not an object"),
        (b'{"key": 1, "key": 2}', "stands twice"),
        (b'{"rows": NaN}', "NaN is not a JSON number"),
        (b'{"rows": ' + b"9" * 400 + b"}", "an integer of 400 digits"),
        (b'{"rows": 1e999}', "too large"),
        (b'{"inline": ' + b"[" * 100 + b"]" * 100 + b"}", "deeper than 64"),
        (b"[" * 4000, "JSON"),
        (b'{"key": "\\ud800"}', "half of a surrogate pair"),
        (b'{"inline": {"\\udc00": [1]}}', "half of a surrogate pair"),
        (b"{}", "key: Field required; media_type: Field required; rows: Field required"),
        (b'{"key": "a/b", "media_type": "m", "rows": 1}', "key: String should match pattern"),
        (b'{"key": "k", "media_type": "m", "rows": -1}', "rows: "),
        (b'{"key": "k", "media_type": "m", "rows": 99999999999999999999}', "rows: "),
        (b'{"key": "k", "media_type": "m", "rows": 1, "parts": [{}]}', "parts.0.sha256: "),
    ],
)
async def test_a_body_that_breaks_the_rules_is_refused_with_its_place(
    body: bytes, told: str
) -> None:
    assert told in await refusal([body])


async def test_a_refusal_never_quotes_what_was_sent() -> None:
    """A body may hold results; they belong in no log and no answer."""
    told = await refusal([b'{"key": "SECRET VALUE", "media_type": "m", "rows": "SECRET VALUE"}'])
    assert "SECRET" not in told


async def test_only_the_first_breaches_are_listed() -> None:
    parts = [{"sha256": "x", "bytes": 0, "rows": 0}] * 10
    told = await refusal([json.dumps({**COMMIT, "parts": parts}).encode()])
    assert told.endswith("and 22 more")


async def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    exchange = Exchange([b"x"])
    sent = Request(scope_of("PUT", "/", {"content-length": "999999"}), exchange.receive)
    with pytest.raises(ProblemError, match="larger than 4096 bytes"):
        await read_record(sent, StepCommit, LIMIT)
    assert (await exchange.receive())["body"] == b"x"


async def test_a_body_that_grows_beyond_the_limit_is_refused() -> None:
    assert "larger than 4096 bytes" in await refusal([b" " * 4000, b" " * 97])


async def test_a_body_of_just_the_limit_is_read() -> None:
    body = json.dumps(COMMIT).encode().ljust(LIMIT)
    assert (await read_record(request([body]), StepCommit, LIMIT)).key == "k1"


async def test_a_gzip_bomb_is_refused() -> None:
    bomb = gzip.compress(b" " * (LIMIT + 1))
    assert len(bomb) < 100
    assert "larger than 4096 bytes" in await refusal([bomb], content_encoding="gzip")


async def test_a_packed_body_is_unpacked_in_small_pieces_between_which_others_go_on() -> None:
    packed = gzip.compress(bytes(20 * UNPACKED_BYTES))
    turns = 0

    async def go_on() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(go_on())
    pieces = read_chunks(request([packed], content_encoding="gzip"), 20 * UNPACKED_BYTES)
    sizes = [len(piece) async for piece in pieces]
    other.cancel()
    assert sizes == [UNPACKED_BYTES] * 20
    assert turns >= 20


async def test_a_gzip_body_that_unpacks_to_just_the_limit_is_read() -> None:
    packed = gzip.compress(json.dumps(COMMIT).encode().ljust(LIMIT))
    sent = request([packed[:-3], packed[-3:]], content_encoding="gzip")
    assert (await read_record(sent, StepCommit, LIMIT)).key == "k1"


@pytest.mark.parametrize(
    ("chunks", "encoding", "told"),
    [
        ([b"no gzip"], "gzip", "not gzip"),
        ([gzip.compress(b"{}")[:-4]], "gzip", "cut short"),
        ([gzip.compress(b"{}") + b"more"], "gzip", "goes on after"),
        ([b"{}"], "br", "found br; expected gzip or none"),
    ],
)
async def test_an_encoding_that_cannot_be_unpacked_is_refused(
    chunks: list[bytes], encoding: str, told: str
) -> None:
    assert told in await refusal(chunks, content_encoding=encoding)


async def test_a_client_that_goes_away_in_the_middle_gives_no_record() -> None:
    exchange = Exchange([b'{"key"', b": 1}"])
    exchange._chunks.pop()
    sent = Request(scope_of("PUT", "/", {}), _cut_short(exchange))
    with pytest.raises(ClientDisconnect):
        await read_record(sent, StepCommit, LIMIT)


def _cut_short(exchange: Exchange) -> Any:
    async def receive() -> Any:
        if exchange._chunks:
            message = await exchange.receive()
            return {**message, "more_body": True}
        return {"type": "http.disconnect"}

    return receive


async def test_a_field_is_named_as_on_the_wire() -> None:
    with pytest.raises(ProblemError, match="class: "):
        await read_record(
            request([b'{"key": "k", "class": "weather", "message": ""}']), JobFailure, LIMIT
        )


async def test_chunks_come_as_they_arrive() -> None:
    """A part of many MiB must not be gathered in memory first."""
    sent = request([b"one", b"two"])
    assert [chunk async for chunk in read_chunks(sent, LIMIT)] == [b"one", b"two"]
