"""Calls about the parts of a result, to a hub whose job runs."""

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.api.services import Limits
from alectio_agent.wire.claims import Claim
from tests.support.asgi import Answer, Exchange, Message, call
from tests.support.benches import Bench
from tests.support.hub_fakes import AGENT_TOKEN, HubScene

PART = bytes(range(100))
DIGEST = hashlib.sha256(PART).hexdigest()


class PartCalls:
    """A hub with a job that runs; parts of up to 1000 bytes, slices of up to 64."""

    def __init__(
        self, folder: Path, bench: Bench, *, part_bytes: int = 1000, slice_bytes: int = 64
    ) -> None:
        self.part_bytes, self.slice_bytes = part_bytes, slice_bytes
        self.scene = HubScene(folder / "scene")
        self.bench = bench
        self.agent = bench.agent()
        bench.create()
        self.claim: Claim = self.agent.start()
        self.restart()

    def restart(self) -> None:
        """Forget everything that is only in memory."""
        limits = Limits(part_bytes=self.part_bytes, slice_bytes=self.slice_bytes)
        services = replace(
            self.scene.services, store=self.bench.store, platform=self.bench.platform, limits=limits
        )
        self.app = create_app(services)

    async def put(
        self,
        start: int,
        stop: int,
        *chunks: bytes,
        total: int = len(PART),
        digest: str = DIGEST,
        exchange: Exchange | None = None,
        **headers: str,
    ) -> Answer:
        """Send bytes of the part; these chunks instead of what the range says."""
        return await self.call(
            f"bytes {start}-{stop - 1}/{total}",
            *(chunks or [PART[start:stop]]),
            digest=digest,
            exchange=exchange,
            **headers,
        )

    async def ask(self, total: int = len(PART)) -> Answer:
        return await self.call(f"bytes */{total}")

    async def bring(self, content: bytes) -> dict[str, Any]:
        """Send a whole part; what a commit says of it, but for its rows."""
        sha256 = hashlib.sha256(content).hexdigest()
        answer = await self.call(None, content, digest=sha256)
        assert answer.json == {"status": "accepted", "have": len(content)}, answer
        return {"sha256": sha256, "bytes": len(content)}

    async def commit(self, step: str, body: bytes | dict[str, Any], **headers: str) -> Answer:
        """Send a commit as it is."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = f"/v1/jobs/{self.claim.job_id}/steps/{step}"
        named = self._headers(headers)
        return await call(self.app, "PUT", target, headers=named, chunks=[content])

    async def call(
        self,
        content_range: str | None,
        *chunks: bytes,
        digest: str = DIGEST,
        exchange: Exchange | None = None,
        **headers: str,
    ) -> Answer:
        named = self._headers(headers)
        if content_range is not None:
            named["content-range"] = content_range
        target = f"/v1/jobs/{self.claim.job_id}/parts/{digest}"
        return await call(self.app, "PUT", target, headers=named, chunks=chunks, exchange=exchange)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {
            "authorization": f"Bearer {AGENT_TOKEN}",
            "alectio-protocol": "1",
            "alectio-lease": self.claim.lease,
            **{name.replace("_", "-"): value for name, value in more.items()},
        }

    @property
    def left(self) -> dict[str, bytes]:
        """What lies in the folder of parts."""
        folder = self.bench.platform.context.parts
        return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    @property
    def rows(self) -> int:
        """Parts that count as whole."""
        return self._count("parts")

    @property
    def results(self) -> int:
        """Results that came."""
        return self._count("results")

    def _count(self, table: str) -> int:
        statement = f"select count(*) from {table}"
        return int(self.bench.run(lambda tx: tx.exec_driver_sql(statement).scalar_one()))


class CutLine(Exchange):
    """A client that goes away after its chunks, with the body unfinished."""

    async def receive(self) -> Message:
        if self._chunks:
            return {"type": "http.request", "body": self._chunks.pop(0), "more_body": True}
        return {"type": "http.disconnect"}


class HangingLine(Exchange):
    """A client that sends nothing more, until it goes on with the rest."""

    def __init__(self, *chunks: bytes) -> None:
        super().__init__(chunks)
        self._chunks = list(chunks)
        self.hangs, self.goes_on = asyncio.Event(), asyncio.Event()
        self.rest: list[bytes] = []

    async def receive(self) -> Message:
        if not self._chunks and not self.goes_on.is_set():
            self.hangs.set()
            await self.goes_on.wait()
            self._chunks = self.rest
        message = await super().receive()
        return {**message, "more_body": message.get("more_body") or not self.goes_on.is_set()}
