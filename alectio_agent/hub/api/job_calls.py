"""What an agent calls about a job that it has the lease of: beats, parts, commits, failures."""

import asyncio
import re
from asyncio import wrap_future
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.api.arrivals import Arrivals
from alectio_agent.hub.api.bodies import read_chunks, read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.forms import Forms
from alectio_agent.hub.api.services import Limits, Services
from alectio_agent.hub.api.uploads import store_part
from alectio_agent.hub.experiments.result_checks import check_parts, check_small
from alectio_agent.wire.claims import Step
from alectio_agent.wire.names import DIGEST_PATTERN, ID_PATTERN
from alectio_agent.wire.protocol import LEASE_HEADER
from alectio_agent.wire.results import (
    ACCEPTED,
    Accepted,
    Heartbeat,
    HeartbeatAnswer,
    JobFailure,
    StepCommit,
)
from alectio_agent.wire.slices import RANGE_HEADER, PartTaken, Slice

JobId = Annotated[str, Path(pattern=ID_PATTERN)]
Sha256 = Annotated[str, Path(pattern=DIGEST_PATTERN)]
BEAT_PROBLEMS = ("lease-lost", "job-closed")
PART_PROBLEMS = ("lease-lost", "job-closed", "parts-missing")
COMMIT_PROBLEMS = ("lease-lost", "parts-missing", "key-reused")


class JobCalls:
    """Endpoints about one job."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services
        self._arrivals = Arrivals()
        self._forms = Forms()

    def calls(self) -> list[Call]:
        """What there is to serve."""
        job = "/v1/jobs/{job_id}"
        return [
            Call(
                "POST", f"{job}/heartbeat", self.heartbeat, AGENT, Heartbeat, HeartbeatAnswer,
                BEAT_PROBLEMS, needs_lease=True, is_frequent=True,
            ),
            Call(
                "PUT", f"{job}/parts/{{sha256}}", self.put_part, AGENT, None, PartTaken,
                PART_PROBLEMS, takes_bytes=True, needs_lease=True, is_frequent=True,
            ),
            Call(
                "PUT", f"{job}/steps/{{step}}", self.commit, AGENT, StepCommit, Accepted,
                COMMIT_PROBLEMS, needs_lease=True, is_frequent=True,
            ),
            Call(
                "POST", f"{job}/fail", self.fail, AGENT, JobFailure, Accepted,
                ("lease-lost", "key-reused"), needs_lease=True, is_frequent=True,
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
        """Send a part of a bulk result, whole or a slice of it, or ask how much of it is there."""
        lease = read_lease(request)
        limits, store, platform = (
            self._services.limits,
            self._services.store,
            self._services.platform,
        )
        piece = read_slice(request, limits)
        if not platform.may_send(job_id, lease):
            await wrap_future(store.read(lambda tx: platform.check_part(tx, job_id, lease, sha256)))
        chunks = read_chunks(request, limits.part_bytes)
        path = platform.part_path(job_id, sha256)
        if piece is None:
            total = have = (await store_part(chunks, path, sha256)).size_bytes
            await self._arrivals.drop(path)
        else:
            total, have = piece.total, 0
            try:
                have = await self._arrivals.take(path, piece, chunks)
            finally:
                if have < total and not platform.may_send(job_id, lease):
                    await self._refuse_late(job_id, path)
        if have == total:
            await wrap_future(
                store.write(lambda tx: platform.part_arrived(tx, job_id, sha256, total))
            )
            self._forms.learn(path)
        return answer(PartTaken(status="accepted", have=have))

    async def _refuse_late(self, job_id: str, path: FilePath) -> None:
        """Leave nothing of a part whose job closed while it was on its way."""
        store, platform = self._services.store, self._services.platform
        if await wrap_future(store.read(lambda tx: platform.is_over(tx, job_id))):
            await self._arrivals.drop(path)
            raise ProblemError("job-closed", "the job closed; no further part is needed")

    async def commit(self, request: Request, job_id: JobId, step: Step) -> Response:
        """Deliver the result of a step; its parts have arrived before."""
        lease = read_lease(request)
        record = await read_record(request, StepCommit, self._services.limits.request_bytes)
        check_small(record)
        platform = self._services.platform
        if record.parts:
            await self._check_parts(job_id, step, lease, record)
        refusal = await wrap_future(
            self._services.store.write(lambda tx: platform.commit(tx, job_id, step, lease, record))
        )
        if refusal is not None:
            raise refusal
        return answer(ACCEPTED)

    async def _check_parts(self, job_id: str, step: str, lease: str, said: StepCommit) -> None:
        """Look into the parts of a result before it is counted, and outside of transactions."""
        platform = self._services.platform
        expected = await wrap_future(
            self._services.store.read(lambda tx: platform.expected(tx, job_id, step, lease, said))
        )
        if expected is not None:
            forms = await self._forms.of(expected.paths)
            await asyncio.to_thread(check_parts, said, forms, expected)

    async def fail(self, request: Request, job_id: JobId) -> Response:
        """Say that a job ended without a result, or hand it back."""
        lease = read_lease(request)
        record = await read_record(request, JobFailure, self._services.limits.request_bytes)
        platform = self._services.platform
        await wrap_future(
            self._services.dealer.write(lambda tx: platform.fail(tx, job_id, lease, record))
        )
        return answer(ACCEPTED)


def read_slice(request: Request, limits: Limits) -> Slice | None:
    """Which bytes of a part a request brings.

    Args:
        request: Any.
        limits: Largest part and slice.

    Returns:
        None for all of them.

    Raises:
        ProblemError: `invalid`: the header is none, or names more than is allowed.
    """
    header = request.headers.get(RANGE_HEADER)
    if header is None:
        return None
    try:
        piece = Slice.read(header)
    except ValueError as error:
        found = printable(header, 80)
        raise ProblemError("invalid", f"{RANGE_HEADER}: found {found}; {error}") from error
    if piece.total > limits.part_bytes:
        raise ProblemError(
            "invalid",
            f"{RANGE_HEADER}: a part of {piece.total} bytes; at most {limits.part_bytes} may come",
        )
    if piece.stop - piece.start > limits.slice_bytes:
        raise ProblemError(
            "invalid",
            f"{RANGE_HEADER}: a slice of {piece.stop - piece.start} bytes; "
            f"at most {limits.slice_bytes} may come",
        )
    return piece


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
