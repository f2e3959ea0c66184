"""One method per call of an operator to a hub."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, JsonValue

from alectio_agent.agent.client.answers import read_file, read_log, read_record
from alectio_agent.agent.client.transport import Request, Response, Transport
from alectio_agent.core.clock import Clock
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.labels import LabelImport, LabelQueue, LabelsImported
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.operation import (
    AgentList,
    ExperimentCreate,
    ExperimentExtend,
    ExperimentHistory,
    ExperimentList,
    ExperimentRetry,
    ExperimentRewind,
    ExperimentUpdate,
    ExperimentView,
    JobList,
    PlatformInfo,
    TokenCreate,
    TokenCreated,
    TokenList,
    TokenView,
)
from alectio_agent.wire.protocol import (
    JSON_MEDIA_TYPE,
    MAX_CLAIM_BYTES,
    MAX_COUNT,
    PROTOCOL,
    PROTOCOL_HEADER,
)
from alectio_agent.wire.results_files import ResultsFiles, media_type_of

RecordT = TypeVar("RecordT", bound=BaseModel)
HOLD_MARGIN_S = 10.0
LONGEST_FETCH_S = 86_400.0
"""A file of many gigabytes on a slow line; silence ends it much earlier."""


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

    def create_experiment(
        self, settings: ExperimentSettings, series: str | None = None
    ) -> ExperimentView:
        """Create an experiment; the same settings again change nothing.

        Args:
            settings: From its file.
            series: The name there, when it is made anew under another.

        Raises:
            PlatformRejectedError: `conflict`: the name is taken by other settings.
        """
        record = ExperimentCreate(settings=settings, series=series)
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

    def pause_experiment(self, name: str) -> ExperimentView:
        """Give out no further job; what runs is finished, and counts.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it does not run.
        """
        return self._steer(name, "pause")

    def resume_experiment(self, name: str) -> ExperimentView:
        """Go on after a pause.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it is not paused.
        """
        return self._steer(name, "resume")

    def cancel_experiment(self, name: str) -> ExperimentView:
        """End an experiment for good.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it has ended.
        """
        return self._steer(name, "cancel")

    def retry_experiment(self, name: str, *, is_from_train: bool = False) -> ExperimentView:
        """Try again what waits for a person, from the step that failed.

        Args:
            name: Of the experiment.
            is_from_train: Train that loop again too, though its train was counted.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when nothing waits.
        """
        return self._steer(name, "retry", ExperimentRetry(step="train" if is_from_train else None))

    def rewind_experiment(self, name: str, loops: int = 1) -> ExperimentView:
        """Undo the newest loops, so that they are selected and run again.

        Args:
            name: Of the experiment.
            loops: How many; one that is not done counts as the first.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when there are fewer.
        """
        return self._steer(name, "rewind", ExperimentRewind(loops=loops))

    def reassign_experiment(self, name: str) -> ExperimentView:
        """Offer the newest job to any agent now.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when its agent is heard of.
        """
        return self._steer(name, "reassign")

    def extend_experiment(
        self, name: str, pool: int | None = None, loops: int | None = None
    ) -> ExperimentView:
        """Let an experiment have more samples, more loops, or both.

        Args:
            name: Of the experiment.
            pool: The new number of samples; without it and `loops` what the agents offer.
            loops: The new number of loops.

        Raises:
            PlatformRejectedError: `not-found`, `invalid`, or `conflict` when it would not grow.
        """
        return self._steer(name, "extend", ExperimentExtend(pool=pool, loops=loops))

    def update_experiment(self, settings: ExperimentSettings) -> ExperimentView:
        """Go on with other settings from the next selection on; the same ones change nothing.

        Args:
            settings: All of them; its name says which experiment.

        Raises:
            PlatformRejectedError: `not-found`, `invalid`, or `conflict` for keys that must stay.
        """
        return self._steer(settings.name, "update", ExperimentUpdate(settings=settings))

    def history(self, name: str) -> dict[str, JsonValue]:
        """Everything that is kept of an experiment, as in its `experiment.json`.

        Raises:
            PlatformRejectedError: `not-found`.
        """
        return self._call("GET", f"/v1/experiments/{name}/history", ExperimentHistory).root

    def loop_log(
        self, name: str, loop: int, attempt: int | None = None, offset: int = 0
    ) -> LogText:
        """Some of what the hooks of a loop printed.

        Args:
            name: Of the experiment.
            loop: From 0.
            attempt: Whose log; None: of the newest that has one.
            offset: Where to begin, in bytes.

        Raises:
            PlatformRejectedError: `not-found`: no such loop, or nothing of its log has come.
        """
        query = {"offset": offset} | ({} if attempt is None else {"attempt": attempt})
        path = f"/v1/experiments/{name}/loops/{loop}/log?{urlencode(query)}"
        return read_log(self._send("GET", path), self._clock.now())

    def results_file(self, name: str, file: str) -> bytes:
        """A results file, such as `loops.csv`.

        Raises:
            PlatformRejectedError: `not-found`: the hub has not written it.
        """
        response = self._send("GET", f"/results/{name}/{file}")
        return read_file(response, media_type_of(file), self._clock.now())

    def results_files(self, name: str) -> ResultsFiles:
        """The results files of an experiment that there are.

        Raises:
            PlatformRejectedError: `not-found`.
        """
        return self._call("GET", f"/results/{name}/", ResultsFiles)

    def fetch_results_file(self, name: str, file: str, sink: Callable[[bytes], None]) -> None:
        """Read a results file of any size.

        Args:
            name: Of the experiment.
            file: Its path, such as `outputs/loop_3.npz`.
            sink: Takes the bytes as they come.

        Raises:
            PlatformRejectedError: `not-found`: it was removed meanwhile.
        """
        response = self._transport.send(
            Request(
                "GET",
                f"/results/{name}/{file}",
                {"Authorization": f"Bearer {self._token()}"},
                total_s=LONGEST_FETCH_S,
                limit_bytes=MAX_COUNT,
                sink=sink,
            )
        )
        read_file(response, media_type_of(file), self._clock.now())

    def labels(self, name: str, *, is_whole: bool = False) -> LabelQueue:
        """The samples that people are asked for.

        Args:
            name: Of the experiment.
            is_whole: Those of loops with all their labels too.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict`: it asks nobody.
        """
        query = "?all=true" if is_whole else ""
        return self._call("GET", f"/v1/experiments/{name}/labels{query}", LabelQueue)

    def import_labels(self, name: str, said: LabelImport) -> LabelsImported:
        """Bring labels, all of them or none.

        Args:
            name: Of the experiment.
            said: The rows.

        Raises:
            PlatformRejectedError: `not-found`; `conflict`: it asks nobody; `invalid`, with `rows`.
        """
        return self._call("POST", f"/v1/experiments/{name}/labels", LabelsImported, said)

    def jobs(self) -> JobList:
        """All jobs that are not done."""
        return self._call("GET", "/v1/jobs", JobList)

    def agents(self) -> AgentList:
        """All agents that ever registered."""
        return self._call("GET", "/v1/agents", AgentList)

    def create_token(self, request: TokenCreate) -> TokenCreated:
        """Make a token; the answer is the only one that holds it."""
        return self._call("POST", "/v1/tokens", TokenCreated, request)

    def tokens(self) -> TokenList:
        """All tokens that were ever made, never the tokens themselves."""
        return self._call("GET", "/v1/tokens", TokenList)

    def revoke_token(self, name: str) -> TokenView:
        """Let the good token of that name open nothing any more.

        Raises:
            PlatformRejectedError: `not-found`, or `conflict` when it is good no more.
        """
        return self._call("POST", f"/v1/tokens/{name}/revoke", TokenView)

    def _steer(self, name: str, verb: str, record: BaseModel | None = None) -> ExperimentView:
        return self._call("POST", f"/v1/experiments/{name}/{verb}", ExperimentView, record)

    def _call(
        self,
        method: str,
        path: str,
        model: type[RecordT],
        record: BaseModel | None = None,
        hold_s: float = 0.0,
    ) -> RecordT:
        response = self._send(method, path, record, hold_s)
        return read_record(response, model, self._clock.now())

    def _send(
        self, method: str, path: str, record: BaseModel | None = None, hold_s: float = 0.0
    ) -> Response:
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
            is_repeatable=method == "GET",
        )
        return self._transport.send(request)
