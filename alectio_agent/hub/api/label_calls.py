"""What people who label call, or their tools: which samples are asked for, and their labels."""

import asyncio
from asyncio import wrap_future
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import OPERATOR, READER
from alectio_agent.hub.api.bodies import read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.label_taking import take_labels
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.labels import LabelImport, LabelQueue, LabelsImported
from alectio_agent.wire.names import EXPERIMENT_PATTERN

Name = Annotated[str, Path(pattern=EXPERIMENT_PATTERN)]
All = Annotated[bool, Query(alias="all", description="Samples of loops with all labels too.")]


class LabelCalls:
    """Endpoints for labels by people."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        path = "/v1/experiments/{name}/labels"
        refused = ("not-found", "conflict")
        return [
            Call("GET", path, self.show_labels, READER, None, LabelQueue, refused),
            Call("POST", path, self.import_labels, OPERATOR, LabelImport, LabelsImported, refused),
        ]

    async def show_labels(self, name: Name, *, is_whole: All = False) -> Response:
        """Say which samples people are asked for, and what is there of each."""
        services = self._services
        queue = await wrap_future(
            services.store.read(
                lambda tx: services.platform.label_queue(tx, name, is_whole=is_whole)
            )
        )
        # Perhaps a hundred thousand samples: making the text must not hold up beats and polls.
        return await asyncio.to_thread(answer, queue)

    async def import_labels(self, request: Request, name: Name) -> Response:
        """Take labels, all of them or none; the newest of a sample counts."""
        services = self._services
        said = await read_record(request, LabelImport, services.limits.label_bytes)
        return answer(await take_labels(services, name, said))
