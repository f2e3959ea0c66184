"""One method per call of an operator to a hub."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, RootModel

from alectio_agent.agent.client.answers import read_record
from alectio_agent.agent.client.transport import Request, Transport
from alectio_agent.core.clock import Clock
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import (
    AgentList,
    ExperimentCreate,
    ExperimentList,
    ExperimentView,
    JobList,
    PlatformInfo,
    TokenCreate,
    TokenCreated,
)
from alectio_agent.wire.protocol import (
    JSON_MEDIA_TYPE,
    MAX_CLAIM_BYTES,
    PROTOCOL,
    PROTOCOL_HEADER,
)

RecordT = TypeVar("RecordT", bound=BaseModel)
HOLD_MARGIN_S = 10.0


class _Document(RootModel[dict[str, Any]]):
    """Whatever results files hold."""


class OperationClient:
    """The hub as an operator or viewer sees it."""

    def __init__(self, transport: Transport, token: Callable[[], str], clock: Clock) -> None:
        """Bind the calls to a transport; arguments as in `PlatformClient`."""
        self._transport = transport
        self._token = token
        self._clock = clock

    def platform(self) -> PlatformInfo:
        """Who answers, and what this token may do."""
        return self._call("GET", "/v1/platform", PlatformInfo)

    def create_experiment(self, settings: ExperimentSettings) -> ExperimentView:
        """Create an experiment; the same settings again change nothing.

        Raises:
            PlatformRejectedError: `conflict`: the name is taken by other settings.
        """
        record = ExperimentCreate(settings=settings)
        return self._call("POST", "/v1/experiments", ExperimentView, record)

    def experiments(self) -> ExperimentList:
        """All experiments, without their loops."""
        return self._call("GET", "/v1/experiments", ExperimentList)

    def experiment(
        self, name: str, after: int | None = None, wait_s: float = 0.0
    ) -> ExperimentView:
        """One experiment with its loops.

        Args:
            name: Of the experiment.
            after: Hold the answer until the version is above this.
            wait_s: Longest hold, in seconds.

        Raises:
            PlatformRejectedError: `not-found`.
        """
        query = "" if after is None else "?" + urlencode({"after": after, "wait_s": wait_s})
        path = f"/v1/experiments/{name}{query}"
        return self._call("GET", path, ExperimentView, hold_s=wait_s)

    def history(self, name: str) -> dict[str, Any]:
        """Everything that is kept of an experiment, as `experiment.json` has it.

        Raises:
            PlatformRejectedError: `not-found`.
        """
        return self._call("GET", f"/v1/experiments/{name}/history", _Document).root

    def retry_experiment(self, name: str) -> ExperimentView:
        """Try again what waits for a person, from the step that failed.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when nothing waits.
        """
        return self._call("POST", f"/v1/experiments/{name}/retry", ExperimentView)

    def jobs(self) -> JobList:
        """All jobs that are not done."""
        return self._call("GET", "/v1/jobs", JobList)

    def agents(self) -> AgentList:
        """All agents that ever registered."""
        return self._call("GET", "/v1/agents", AgentList)

    def create_token(self, request: TokenCreate) -> TokenCreated:
        """Make a token; the answer is the only one that holds it."""
        return self._call("POST", "/v1/tokens", TokenCreated, request)

    def _call(
        self,
        method: str,
        path: str,
        model: type[RecordT],
        record: BaseModel | None = None,
        hold_s: float = 0.0,
    ) -> RecordT:
        headers = {"Authorization": f"Bearer {self._token()}", PROTOCOL_HEADER: str(PROTOCOL)}
        body = None
        if record is not None:
            headers["Content-Type"] = JSON_MEDIA_TYPE
            body = record.model_dump_json(by_alias=True).encode()
        request = Request(
            method,
            path,
            headers,
            body,
            read_timeout_s=hold_s + HOLD_MARGIN_S + 20,
            limit_bytes=MAX_CLAIM_BYTES,
        )
        return read_record(self._transport.send(request), model, self._clock.now())
