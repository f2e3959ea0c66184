"""What operators do to an experiment: one call per verb, answered with the experiment."""

from asyncio import wrap_future
from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import Path, Request
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from alectio_agent.hub.access.gate import OPERATOR
from alectio_agent.hub.api.bodies import RecordT, read_record
from alectio_agent.hub.api.calls import Call, Endpoint, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.names import EXPERIMENT_PATTERN
from alectio_agent.wire.operation import (
    ExperimentExtend,
    ExperimentRetry,
    ExperimentRewind,
    ExperimentUpdate,
    ExperimentView,
)

Name = Annotated[str, Path(pattern=EXPERIMENT_PATTERN)]


class SteeringCalls:
    """Endpoints for those who steer experiments."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services
        self._platform = services.platform

    def calls(self) -> list[Call]:
        """What there is to serve."""
        return [
            _call("pause", self.pause_experiment),
            _call("resume", self.resume_experiment),
            _call("cancel", self.cancel_experiment),
            _call("retry", self.retry_experiment, ExperimentRetry, may_be_bodiless=True),
            _call("rewind", self.rewind_experiment, ExperimentRewind, may_be_bodiless=True),
            _call("reassign", self.reassign_experiment),
            _call("extend", self.extend_experiment, ExperimentExtend, may_be_bodiless=True),
            _call("update", self.update_experiment, ExperimentUpdate),
        ]

    async def pause_experiment(self, name: Name) -> Response:
        """Give out no further job; what runs is finished, and counts."""
        return await self._write(partial(self._platform.pause, name=name))

    async def resume_experiment(self, name: Name) -> Response:
        """Go on after a pause."""
        return await self._write(partial(self._platform.resume, name=name))

    async def cancel_experiment(self, name: Name) -> Response:
        """End an experiment for good; its job is told with its next beat."""
        return await self._write(partial(self._platform.cancel, name=name))

    async def retry_experiment(self, request: Request, name: Name) -> Response:
        """Try again what waits for a person: from the step that failed, or from train on."""
        said = await self._read(request, ExperimentRetry)
        return await self._write(partial(self._platform.retry, name=name, said=said))

    async def rewind_experiment(self, request: Request, name: Name) -> Response:
        """Undo the newest loops, so that they are selected and run again."""
        said = await self._read(request, ExperimentRewind)
        return await self._write(partial(self._platform.rewind, name=name, said=said))

    async def reassign_experiment(self, name: Name) -> Response:
        """Offer the newest job to any agent now, when the one that has it is not heard of."""
        return await self._write(partial(self._platform.reassign, name=name))

    async def extend_experiment(self, request: Request, name: Name) -> Response:
        """Let an experiment have more samples, more loops, or both."""
        said = await self._read(request, ExperimentExtend)
        return await self._write(partial(self._platform.extend, name=name, said=said))

    async def update_experiment(self, request: Request, name: Name) -> Response:
        """Go on with other settings from the next selection on; the same ones change nothing."""
        limit_bytes = self._services.limits.request_bytes
        said = await read_record(request, ExperimentUpdate, limit_bytes)
        return await self._write(partial(self._platform.update, name=name, said=said))

    async def _read(self, request: Request, model: type[RecordT]) -> RecordT:
        limit_bytes = self._services.limits.request_bytes
        return await read_record(request, model, limit_bytes, may_be_empty=True)

    async def _write(self, work: Callable[[Connection], ExperimentView]) -> Response:
        return answer(await wrap_future(self._services.dealer.write(work)))


def _call(
    verb: str,
    endpoint: Endpoint,
    takes: type[BaseModel] | None = None,
    *,
    may_be_bodiless: bool = False,
) -> Call:
    return Call(
        "POST",
        f"/v1/experiments/{{name}}/{verb}",
        endpoint,
        OPERATOR,
        takes,
        ExperimentView,
        ("not-found", "conflict"),
        may_be_bodiless=may_be_bodiless,
    )
