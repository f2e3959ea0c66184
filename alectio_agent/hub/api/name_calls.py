"""Record names: agents send those that the answer to their registration asked for."""

import asyncio
from asyncio import wrap_future
from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from alectio_agent.core.ids import new_id
from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.api.bodies import read_chunks
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.api.uploads import TEMPORARY_SUFFIX, store_part
from alectio_agent.wire.names import DIGEST_PATTERN, Id
from alectio_agent.wire.results import ACCEPTED, Accepted

Digest = Annotated[str, Path(pattern=DIGEST_PATTERN)]


class NameCalls:
    """The endpoint for record names."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoint to what it calls."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        return [
            Call(
                "PUT", "/v1/agents/{agent_id}/names/{digest}", self.put_names, AGENT, None,
                Accepted, ("unknown-agent",), takes_bytes=True,
            )
        ]  # fmt: skip

    async def put_names(self, request: Request, agent_id: Id, digest: Digest) -> Response:
        """Send the names of a pool: one JSON string a line, under the SHA-256 of the lines."""
        store, platform = self._services.store, self._services.platform
        count = await wrap_future(store.read(lambda tx: platform.names_count(tx, agent_id, digest)))
        chunks = read_chunks(request, self._services.limits.names_bytes)
        if await asyncio.to_thread(platform.names.holds, digest):
            async for _ in chunks:  # another agent was faster
                pass
            return answer(ACCEPTED)
        arrived = platform.names.folder / f".{digest[:16]}-{new_id()}{TEMPORARY_SUFFIX}"
        try:
            await store_part(chunks, arrived, digest)
            await asyncio.to_thread(platform.names.take, arrived, digest, count)
        finally:
            await asyncio.to_thread(arrived.unlink, missing_ok=True)
        await wrap_future(store.write(lambda tx: platform.names_arrived(tx, digest)))
        return answer(ACCEPTED)
