"""Sender and hub together: whatever happens on the way, the exact bytes arrive, and few twice."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as draw

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.transport import Request, Response
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.part_queue import OutPart
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.wire.slices import LARGEST_SLICE_BYTES, SMALLEST_SLICE_BYTES
from tests.support.asgi import Exchange, call
from tests.support.benches import Bench
from tests.support.claims import make_manifest
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk
from tests.support.hub_fakes import AGENT_TOKEN
from tests.support.part_calls import CutLine, PartCalls

KIB = 2**10
CHUNK = 50_000
FAULTS = (
    "none", "cut", "lost answer", "sent twice", "413", "foreign", "other bytes",
    "hub restarts", "agent restarts",
)  # fmt: skip


class FaultyLine:
    """A transport to the hub's real application; each request meets the next fault."""

    def __init__(self, api: PartCalls, faults: list[str], limit_bytes: int) -> None:
        self.api, self.faults, self.limit_bytes = api, list(faults), limit_bytes
        self.agent_restarts = False
        self.requests = self.sent = self.wasted = 0
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def interrupt(self) -> None:
        """Nothing is in flight between two calls."""

    def send(self, request: Request) -> Response:
        if self.agent_restarts:
            raise PlatformUnavailableError("it is dead", silence="cut")
        body = request.body if isinstance(request.body, bytes) else b"".join(request.body or ())
        self.requests += 1
        self.sent += len(body)
        fault = "413"
        if len(body) <= self.limit_bytes:
            fault = self.faults.pop(0) if self.faults else "none"
        if fault not in ("none", "hub restarts"):
            self.wasted += len(body)
        if fault in ("413", "foreign"):
            status = 413 if fault == "413" else 502
            return Response(status, {"content-type": "text/html"}, b"<html>")
        if fault == "other bytes" and body:
            self.wasted += 2**20  # what was there of the part may be dropped with it
            body = body[:-1] + bytes([body[-1] ^ 1])
        if fault == "hub restarts":
            self.api.restart()
        if fault == "sent twice":
            self._send(request, body)
        if fault == "cut":
            self._send(request, body[: len(body) // 2], is_cut=True)
        else:
            answer = self._send(request, body)
        self.agent_restarts |= fault == "agent restarts"
        if fault in ("cut", "lost answer", "agent restarts"):
            raise PlatformUnavailableError("cut", silence="cut")
        return answer

    def _send(self, request: Request, body: bytes, *, is_cut: bool = False) -> Response:
        chunks = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
        exchange = CutLine(chunks) if is_cut else Exchange(chunks)
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["content-length"] = str(len(body))
        asked = call(self.api.app, request.method, request.path, headers=headers, exchange=exchange)
        if is_cut:
            with pytest.raises(IndexError):  # nobody is answered
                self._runner.run(asked)
            return Response(0, {}, b"")
        answer = self._runner.run(asked)
        return Response(answer.status, answer.headers, answer.body)


class Result:
    """Parts on the agent's disk, of bytes that were never sent before."""

    def __init__(self, api: PartCalls, folder: Path, sizes: list[int]) -> None:
        claim = api.claim
        home = folder / f"{claim.lease}.infer"
        home.mkdir(exist_ok=True)
        self.contents, self.parts = {}, []
        parts, files = [], []
        for number, size in enumerate(sizes):
            content = os.urandom(16) + bytes(size - 16)
            digest = hashlib.sha256(content).hexdigest()
            self.contents[digest] = content
            files.append(f"part-{number}.npz")
            (home / files[-1]).write_bytes(content)
            out = OutPart(claim.job_id, claim.lease, digest, home / files[-1], size)
            self.parts.append(out)
            parts.append({"sha256": digest, "bytes": size, "rows": 1})
        self.manifest: Manifest = make_manifest(claim, "infer", parts=parts, files=files)

    @property
    def small_bytes(self) -> int:
        """Of parts that are sent again rather than asked for."""
        sizes = map(len, self.contents.values())
        return sum(size for size in sizes if size <= SMALLEST_SLICE_BYTES)


@pytest.fixture
def api(tmp_path: Path, bench: Bench) -> Iterator[PartCalls]:
    made = PartCalls(tmp_path, bench, part_bytes=2**20, slice_bytes=LARGEST_SLICE_BYTES)
    yield made
    made.scene.store.close()


@example([400 * KIB], ["none", "hub restarts"], 100_000, True)
@example([400 * KIB], ["none", "agent restarts"], 100_000, True)
@example([400 * KIB], ["none", "cut"], 100_000, True)
@given(
    sizes=draw.lists(draw.integers(20, 400 * KIB), min_size=1, max_size=3),
    faults=draw.lists(draw.sampled_from(FAULTS), max_size=12),
    limit_bytes=draw.sampled_from([2**30, 100_000, SMALLEST_SLICE_BYTES]),
    is_early=draw.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_exact_bytes_arrive_and_few_of_them_twice(
    api: PartCalls,
    tmp_path: Path,
    sizes: list[int],
    faults: list[str],
    limit_bytes: int,
    is_early: bool,
) -> None:
    result = Result(api, tmp_path, sizes)
    line = FaultyLine(api, faults, limit_bytes)
    clock = FakeClock()
    client = PlatformClient(line, lambda: AGENT_TOKEN, clock)
    outbox = Outbox(MemoryDisk(), tmp_path)
    courier, again = PartCourier(client, outbox, clock), 0
    waits = 0
    for part in result.parts if is_early else ():
        courier.offer(part)
    while True:
        try:
            if courier.want(result.manifest):
                break
        except PlatformUnavailableError:
            waits += 1  # the sender backs off
            assert waits <= len(faults), "each fault costs one delivery at most"
        if line.agent_restarts:
            line.agent_restarts = False
            courier, again = PartCourier(client, outbox, clock), again + result.small_bytes
        for worker in courier.workers:
            while not worker.step():
                pass
    line.close()
    folder = api.bench.platform.context.parts / api.claim.job_id
    assert {digest: (folder / digest).read_bytes() for digest in result.contents} == result.contents
    assert not list(folder.glob("*.begun"))
    total = sum(map(len, result.contents.values()))
    assert line.sent <= total + line.wasted + again
    slices = sum(-(-len(content) // SMALLEST_SLICE_BYTES) for content in result.contents.values())
    assert line.requests <= slices + 20 + 4 * len(faults), "no endless loop"
