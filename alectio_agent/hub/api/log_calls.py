"""Logs of jobs: agents send what hooks print, people read it."""

import asyncio
from asyncio import wrap_future
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import AGENT, READER
from alectio_agent.hub.api.bodies import read_chunks
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.job_calls import JobId, read_lease
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.logs import LogTaken
from alectio_agent.wire.names import EXPERIMENT_PATTERN
from alectio_agent.wire.protocol import (
    LOG_ATTEMPT_HEADER,
    LOG_OFFSET_HEADER,
    LOG_SIZE_HEADER,
    MAX_COUNT,
    MAX_LOG_BYTES,
)

TEXT = "text/plain; charset=utf-8"

Name = Annotated[str, Path(pattern=EXPERIMENT_PATTERN)]
Loop = Annotated[int, Path(ge=0, le=MAX_COUNT)]
Attempt = Annotated[int, Query(ge=1, le=MAX_COUNT, description="Whose log it is.")]
SomeAttempt = Annotated[
    int | None, Query(ge=1, le=MAX_COUNT, description="Without: the newest that has a log.")
]
Offset = Annotated[
    int,
    Query(ge=0, le=MAX_COUNT - MAX_LOG_BYTES, description="Where the text begins, in bytes."),
]


class LogCalls:
    """Endpoints about logs."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        log = "/v1/jobs/{job_id}/log"
        loop_log = "/v1/experiments/{name}/loops/{loop}/log"
        return [
            Call(
                "PUT", log, self.put_log, AGENT, None, LogTaken, ("lease-lost",),
                takes_bytes=True, needs_lease=True,
            ),
            Call("GET", log, self.read_log, READER, problems=("not-found",)),
            Call("GET", loop_log, self.read_loop_log, READER, problems=("not-found",)),
        ]  # fmt: skip

    async def put_log(
        self, request: Request, job_id: JobId, attempt: Attempt, offset: Offset
    ) -> Response:
        """Send text of a log, at its position in the agent's file; gaps are allowed."""
        lease, platform = read_lease(request), self._services.platform
        await wrap_future(
            self._services.store.read(lambda tx: platform.check_log(tx, job_id, lease, attempt))
        )
        text = b"".join([chunk async for chunk in read_chunks(request, MAX_LOG_BYTES)])
        have = await asyncio.to_thread(platform.put_log, job_id, attempt, offset, text)
        return answer(LogTaken(have=have))

    async def read_log(
        self, job_id: JobId, attempt: SomeAttempt = None, offset: Offset = 0
    ) -> Response:
        """Read what the hooks of a job printed, at most 1 MiB of it and up to the next gap."""
        platform = self._services.platform
        await wrap_future(self._services.store.read(lambda tx: platform.check_job(tx, job_id)))
        return await self._read(job_id, attempt, offset)

    async def read_loop_log(
        self, name: Name, loop: Loop, attempt: SomeAttempt = None, offset: Offset = 0
    ) -> Response:
        """Read what the hooks of a loop printed, at most 1 MiB of it and up to the next gap."""
        platform = self._services.platform
        job_id = await wrap_future(
            self._services.store.read(lambda tx: platform.job_of_loop(tx, name, loop))
        )
        return await self._read(job_id, attempt, offset)

    async def _read(self, job_id: str, attempt: int | None, offset: int) -> Response:
        found = await asyncio.to_thread(self._services.platform.read_log, job_id, attempt, offset)
        if found is None:
            which = "" if attempt is None else f" attempt {attempt} of"
            raise ProblemError("not-found", f"nothing that{which} this job printed has come here")
        headers = {
            LOG_ATTEMPT_HEADER: str(found.attempt),
            LOG_OFFSET_HEADER: str(found.offset),
            LOG_SIZE_HEADER: str(found.size),
            "X-Content-Type-Options": "nosniff",
        }
        return Response(found.text, headers=headers, media_type=TEXT)
