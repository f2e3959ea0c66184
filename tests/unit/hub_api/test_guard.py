"""The outermost layer: nothing but problem documents gets out."""

import asyncio
import errno
import logging
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from alectio_agent.core.errors import StoreBusyError, StoreError
from alectio_agent.hub.api.guard import Guard
from tests.support.asgi import Exchange, call, scope_of
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio


def raising(error: BaseException) -> Guard:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return Guard(app, FakeClock())


async def test_an_unexpected_exception_is_a_problem_without_internals(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await call(raising(KeyError("inside")), "GET", "/v1/jobs")
    assert (answer.status, answer.problem) == (500, "about:blank")
    assert b"inside" not in answer.body
    assert "GET /v1/jobs: KeyError: 'inside'" in caplog.text


async def test_a_store_that_refuses_asks_to_try_again() -> None:
    answer = await call(raising(StoreBusyError("disk full")), "GET", "/")
    assert (answer.status, answer.problem) == (503, "about:blank")
    assert b"disk full" not in answer.body


@pytest.mark.parametrize(
    "error",
    [
        StoreError("/hub/hub.db: database or disk is full"),
        OSError(errno.ENOSPC, "No space left on device", "/hub/logs/a"),
    ],
)
async def test_a_full_disk_is_said_once_without_a_traceback(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    guard = raising(error)
    for _ in range(5):
        answer = await call(guard, "PUT", "/v1/jobs/a/steps/train")
        assert (answer.status, answer.problem) == (503, "about:blank")
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.message.startswith("E-DISK-01  PUT /v1/jobs/a/steps/train is answered 503: /hub/")


async def test_a_client_that_went_away_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    exchange = Exchange([])
    await raising(ClientDisconnect())(scope_of("PUT", "/", {}), exchange.receive, exchange.send)
    assert exchange._sent == []
    assert caplog.records == []


async def test_every_answer_is_dated() -> None:
    answer = await call(Guard(PlainTextResponse("hello"), FakeClock()), "GET", "/")
    assert answer.headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"


async def test_an_answer_that_broke_in_the_middle_is_not_answered_twice() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    exchange = Exchange([])
    await Guard(app, FakeClock())(scope_of("GET", "/", {}), exchange.receive, exchange.send)
    assert len(exchange._sent) == 1


async def test_a_request_that_the_end_of_the_hub_cuts_is_told_to_come_again() -> None:
    """A second signal waits for nobody; a traceback per upload would help nobody either."""
    answer = await call(raising(asyncio.CancelledError()), "PUT", "/v1/jobs/a/parts/b")
    assert (answer.status, answer.problem) == (503, "about:blank")
    assert answer.json["detail"] == "The hub stops. Try again later."
