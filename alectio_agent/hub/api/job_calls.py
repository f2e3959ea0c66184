"""What an agent calls about a job that it has the lease of: beats, parts, commits, failures."""

import re
from asyncio import wrap_future
from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.api.bodies import read_chunks, read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.api.uploads import store_part
from alectio_agent.wire.claims import Step
from alectio_agent.wire.names import DIGEST_PATTERN, ID_PATTERN
from alectio_agent.wire.protocol import LEASE_HEADER
from alectio_agent.wire.results import (
    Accepted,
    Heartbeat,
    HeartbeatAnswer,
    JobFailure,
    StepCommit,
)

JobId = Annotated[str, Path(pattern=ID_PATTERN)]
Sha256 = Annotated[str, Path(pattern=DIGEST_PATTERN)]
BEAT_PROBLEMS = ("lease-lost", "job-closed")
COMMIT_PROBLEMS = ("lease-lost", "parts-missing", "key-reused")


class JobCalls:
    """Endpoints about one job."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        job = "/v1/jobs/{job_id}"
        return [
            Call(
                "POST", f"{job}/heartbeat", self.heartbeat, AGENT, Heartbeat, HeartbeatAnswer,
                BEAT_PROBLEMS, needs_lease=True,
            ),
            Call(
                "PUT", f"{job}/parts/{{sha256}}", self.put_part, AGENT, None, Accepted,
                BEAT_PROBLEMS, takes_bytes=True, needs_lease=True,
            ),
            Call(
                "PUT", f"{job}/steps/{{step}}", self.commit, AGENT, StepCommit, Accepted,
                COMMIT_PROBLEMS, needs_lease=True,
            ),
            Call(
                "POST", f"{job}/fail", self.fail, AGENT, JobFailure, Accepted,
                ("lease-lost", "key-reused"), needs_lease=True,
            ),
        ]  # fmt: skip

    async def heartbeat(self, request: Request, job_id: JobId) -> Response:
        """Renew a lease, say how far the step is, and hear whether to go on."""
        lease = read_lease(request)
        record = await read_record(request, Heartbeat, self._services.limits.request_bytes)
        platform = self._services.platform
        # Beats after the first stay in memory: a busy site must not write to disk for them.
        found = platform.beat(job_id, lease, record)
        if found is None:
            found = await wrap_future(
                self._services.store.write(lambda tx: platform.heartbeat(tx, job_id, lease, record))
            )
        return answer(found)

    async def put_part(self, request: Request, job_id: JobId, sha256: Sha256) -> Response:
        """Send one whole part of a bulk result, under the SHA-256 of its bytes."""
        lease = read_lease(request)
        if "content-range" in request.headers:
            raise ProblemError("invalid", "Content-Range: this hub takes whole parts only")
        store, platform = self._services.store, self._services.platform
        await wrap_future(store.read(lambda tx: platform.check_part(tx, job_id, lease, sha256)))
        chunks = read_chunks(request, self._services.limits.part_bytes)
        stored = await store_part(chunks, platform.part_path(job_id, sha256), sha256)
        await wrap_future(
            store.write(lambda tx: platform.part_arrived(tx, job_id, sha256, stored.size_bytes))
        )
        return answer(Accepted())

    async def commit(self, request: Request, job_id: JobId, step: Step) -> Response:
        """Deliver the result of a step; its parts have arrived before."""
        lease = read_lease(request)
        record = await read_record(request, StepCommit, self._services.limits.request_bytes)
        platform = self._services.platform
        await wrap_future(
            self._services.store.write(lambda tx: platform.commit(tx, job_id, step, lease, record))
        )
        return answer(Accepted())

    async def fail(self, request: Request, job_id: JobId) -> Response:
        """Say that a job ended without a result, or hand it back."""
        lease = read_lease(request)
        record = await read_record(request, JobFailure, self._services.limits.request_bytes)
        platform = self._services.platform
        await wrap_future(
            self._services.store.write(lambda tx: platform.fail(tx, job_id, lease, record))
        )
        return answer(Accepted())


def read_lease(request: Request) -> str:
    """The lease that a call about a job carries.

    Args:
        request: Any.

    Raises:
        ProblemError: `invalid`: there is none.
    """
    lease = request.headers.get(LEASE_HEADER, "")
    if not re.fullmatch(ID_PATTERN, lease):
        raise ProblemError("invalid", f"expected the header `{LEASE_HEADER}` with a lease")
    return lease
