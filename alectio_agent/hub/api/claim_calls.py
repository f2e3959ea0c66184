"""Polls for jobs: held in the request's own task, with one timer, and nothing else.

Thousands of them wait at any time. They are served before the framework is reached, whose objects
for each request would take three times the memory of the connection.
"""

import asyncio
from asyncio import wrap_future
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.access.tokens import StoredToken
from alectio_agent.hub.api.bodies import read_record
from alectio_agent.hub.api.calls import Call, answer, check_protocol
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.protocol import PROTOCOL_HEADER

PATH = "/v1/claims"
SHORTEST_HOLD = 0.75
"""Holds last 75 to 100 % of what was asked, so that agents that start together drift apart."""
LONGEST_HOLD_S = 75.0
"""An agent that is held is one that was heard of: this is shorter than the 90 s of absence."""
STOP_RETRY_AFTER_S = 15


@dataclass(frozen=True)
class _Asked:
    """A poll as it came."""

    wanted: ClaimRequest
    authorization: str | None
    token: StoredToken


class ClaimCalls:
    """The endpoint for polls."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoint to what it calls."""
        self._services = services
        self._claiming = services.platform.claiming
        services.holds.on_stop(self._claiming.polls.end_all)
        services.gate.on_forget(self._claiming.polls.doubt_token)

    def calls(self) -> list[Call]:
        """What there is to serve."""
        return [
            Call(
                "POST",
                PATH,
                self.claim,
                AGENT,
                ClaimRequest,
                Claim,
                ("unknown-agent", "superseded-boot", "stale-seq"),
                may_be_empty="No job; Retry-After says when to ask again, if not at once.",
            ),
        ]

    async def claim(self, request: Request) -> Response:
        """Ask for a job; held until one is there, or for about `wait_s`."""
        return await self.serve(request.scope, request.receive)

    async def serve(self, scope: Scope, receive: Receive) -> Response:
        """Answer a poll.

        Args:
            scope: Of the request.
            receive: Its body, and then the end of its connection.

        Raises:
            ProblemError: It is refused.
        """
        asked = await self._read(scope, receive)
        ends_at = asyncio.get_running_loop().time() + self._hold_s(asked)
        is_known = self._claiming.is_plain(asked.wanted)
        while True:
            if not is_known and (again := await self._take(asked.wanted)) is not None:
                return answer(again)
            poll = await self._wait(asked, ends_at, receive)
            if poll.claim is not None:
                return answer(poll.claim)
            if poll.error is not None:
                raise poll.error
            await self._services.gate.admit(asked.authorization, AGENT)
            if not poll.is_doubted:
                return self._nothing()
            is_known = False

    async def _read(self, scope: Scope, receive: Receive) -> _Asked:
        request = Request(scope, receive)
        authorization = request.headers.get("authorization")
        token = await self._services.gate.admit(authorization, AGENT)
        check_protocol(request.headers.get(PROTOCOL_HEADER))
        limit = self._services.limits.request_bytes
        wanted = await read_record(request, ClaimRequest, limit)
        return _Asked(wanted, authorization, token)

    async def _take(self, wanted: ClaimRequest) -> Claim | None:
        claiming = self._claiming
        taken = self._services.store.write(lambda tx: claiming.take(tx, wanted))
        again: Claim | None = await wrap_future(taken)
        return again

    async def _wait(self, asked: _Asked, ends_at: float, receive: Receive) -> Poll:
        """Stand in line until there is something to say."""
        wanted, loop = asked.wanted, asyncio.get_running_loop()
        poll = Poll(wanted.agent_id, wanted.boot, wanted.seq, frozenset(wanted.free))
        poll.token = asked.token.name
        poll.is_brief = ends_at <= loop.time()
        if self._services.holds.is_stopping:
            return poll
        try:
            if self._claiming.join(poll):
                self._services.dealer.ask()
            elif poll.is_brief:
                return poll
            await self._hold(poll, None if poll.is_brief else ends_at - loop.time(), receive)
            while not self._claiming.polls.leave(poll):
                await self._until_told(poll)  # a deal has it in hand: that is quick
        finally:
            self._claiming.polls.leave(poll)
        return poll

    async def _hold(self, poll: Poll, seconds: float | None, receive: Receive) -> None:
        """Wait for the end of the connection; time, and whoever wakes the poll, cut that short."""
        if poll.is_settled:
            return
        try:
            async with self._services.limit(seconds) as limit:
                poll.wake = partial(_cut_short, limit)
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return
        finally:
            poll.wake = _asleep

    async def _until_told(self, poll: Poll) -> None:
        """Wait for a deal alone: the end of a connection would be told again and again."""
        told = asyncio.Event()
        poll.wake = told.set
        await told.wait()

    def _hold_s(self, asked: _Asked) -> float:
        wanted_s = asked.wanted.wait_s * self._services.rng.uniform(SHORTEST_HOLD, 1.0)
        expires_at = asked.token.expires_at
        if expires_at is None:
            return min(wanted_s, LONGEST_HOLD_S)
        # No job goes to a token that is good no more.
        left_s = (expires_at - self._services.clock.now()).total_seconds()
        return min(wanted_s, LONGEST_HOLD_S, left_s)

    def _nothing(self) -> Response:
        """No job. A hub that stops spreads its agents' return over some seconds."""
        if not self._services.holds.is_stopping:
            return Response(status_code=204)
        wait_s = self._services.rng.randint(0, STOP_RETRY_AFTER_S)
        return Response(status_code=204, headers={"Retry-After": str(wait_s)})


def _cut_short(limit: asyncio.Timeout) -> None:
    if not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time())


def _asleep() -> None:
    """Nobody waits any more."""
