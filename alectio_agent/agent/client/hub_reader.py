"""Calls of an operator or viewer to a hub, and those that read what it keeps in files."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, JsonValue

from alectio_agent.agent.client.answers import read_file, read_log, read_record
from alectio_agent.agent.client.transport import Request, Response, Transport
from alectio_agent.core.clock import Clock
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.operation import ExperimentHistory
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


class HubReader:
    """Reads histories, logs and results of a hub."""

    def __init__(self, transport: Transport, token: Callable[[], str], clock: Clock) -> None:
        """Bind the calls to a transport; arguments as in `PlatformClient`."""
        self._transport = transport
        self._token = token
        self._clock = clock

    def history(self, name: str) -> dict[str, JsonValue]:
        """Everything that is kept of an experiment, as in its `experiment.json`.

        Raises:
            PlatformRejectedError: `not-found`.
        """
        return self.call("GET", f"/v1/experiments/{name}/history", ExperimentHistory).root

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
        return self.call("GET", f"/results/{name}/", ResultsFiles)

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

    def call(
        self,
        method: str,
        path: str,
        model: type[RecordT],
        record: BaseModel | None = None,
        hold_s: float = 0.0,
    ) -> RecordT:
        """Perform a call that answers with a record.

        Args:
            method: Such as `GET`.
            path: Below the hub's URL.
            model: The record.
            record: Sent as the body.
            hold_s: How long the hub may hold the answer.

        Raises:
            PlatformError: No answer, or a verdict.
        """
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
