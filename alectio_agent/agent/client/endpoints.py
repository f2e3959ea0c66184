"""One method per call of an agent to its platform."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from alectio_agent.agent.client.answers import read_claim, read_record, retry_after_s
from alectio_agent.agent.client.field_names import field_names
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.client.negotiation import check_shared
from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.client.transport import Request, Transport
from alectio_agent.agent.journal.egress_rows import Call
from alectio_agent.agent.journal.outgoing import About, Record, Unrecorded
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import (
    ConfigError,
    NotAuthorizedError,
    PlatformError,
    PlatformUnavailableError,
)
from alectio_agent.wire.agents import Registered, Registration
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.logs import LogTaken
from alectio_agent.wire.protocol import (
    JSON_MEDIA_TYPE,
    LEASE_HEADER,
    MAX_CLAIM_BYTES,
    PROTOCOL,
    PROTOCOL_HEADER,
)
from alectio_agent.wire.results import Accepted, Heartbeat, HeartbeatAnswer, JobFailure, StepCommit
from alectio_agent.wire.slices import RANGE_HEADER, PartTaken, Slice

RecordT = TypeVar("RecordT", bound=BaseModel)
_IS_JSON = {"Content-Type": JSON_MEDIA_TYPE}
_NO_MORE: Mapping[str, str] = {}
HOLD_MARGIN_S = 10.0
"""A held poll is given up this much later than the platform was asked to hold it."""
CLAIM_TOTAL_S = 600.0
"""64 MiB at 1 Mbit/s come in 540 s."""
BEAT_S = 15.0
"""A beat that is not answered is given up while there is time for another within the lease."""
NAMES_TIMEOUT_S = 300.0
"""A platform reads millions of names before it answers."""


@dataclass(frozen=True)
class PartKey:
    """Which part, of which attempt.

    Attributes:
        sha256: Of the whole part.
        step: Whose result it belongs to.
    """

    job_id: str
    lease: str
    sha256: str
    step: str = ""


class PlatformClient:
    """The platform as an agent sees it."""

    def __init__(
        self,
        transport: Transport,
        token: Callable[[], str],
        clock: Clock,
        reach: Reach | None = None,
    ) -> None:
        """Bind the calls to a transport.

        Args:
            transport: Performs the requests.
            token: Reads the current token; asked before every call, so that a renewed one is used.
            clock: For dates in Retry-After.
            reach: Told of each call whether the platform has answered.
        """
        self._transport = transport
        self._token = token
        self._clock = clock
        self._reach = reach or Reach(clock)
        self.record: Record = Unrecorded()

    def register(self, registration: Registration) -> Registered:
        """Tell the platform who this agent is and what it can run.

        Raises:
            ProtocolMismatchError: It names other protocols than this agent's.
        """
        found = self._record(
            self._json("POST", "/v1/agents", registration, _told("register", registration)),
            Registered,
        )
        check_shared(found.protocol)
        return found

    def leave(self, agent_id: str) -> None:
        """Say that this agent stops cleanly."""
        self._record(
            self._request("DELETE", f"/v1/agents/{agent_id}", about=About("leave")), Accepted
        )

    def claim(self, request: ClaimRequest) -> Claim | float | None:
        """Ask for a job; held by the platform until one is there.

        Args:
            request: With how long to hold.

        Returns:
            A job; or, when there is none, the seconds that the platform asks to wait, None when
            it does not ask.

        Raises:
            InvalidClaimError: A whole claim that breaks the rules.
        """
        asked = self._json(
            "POST",
            "/v1/claims",
            request,
            # A refusal says something of a job: it has a row of its own.
            _told("poll" if request.refused is None else "refuse", request),
            read_timeout_s=request.wait_s + HOLD_MARGIN_S,
            total_s=CLAIM_TOTAL_S,
            limit_bytes=MAX_CLAIM_BYTES,
        )
        with self._listening(asked):
            response = self._transport.send(asked)
            if response.status == 204:
                return retry_after_s(response.headers, self._clock.now())
            claim = read_claim(response, self._clock.now())
        self.record.know(claim.job_id, claim.job)
        return claim

    def beat(self, job_id: str, lease: str, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Renew a lease."""
        path = f"/v1/jobs/{job_id}/heartbeat"
        about = _told("beat", heartbeat, job_id)
        hasty = self._json(
            "POST", path, heartbeat, about, lease=lease, read_timeout_s=BEAT_S, total_s=BEAT_S
        )
        return self._record(hasty, HeartbeatAnswer)

    def put_part(self, part: PartKey, file: FileSlice) -> None:
        """Send one whole part, streamed from disk.

        Args:
            part: Which one.
            file: All of it.
        """
        # The platform refuses it with another digest: it need not be read twice.
        about = About("part", part.job_id, part.step, sha256=part.sha256)
        self._record(self._part(part, file, about), Accepted)

    def put_slice(self, part: PartKey, piece: FileSlice, total: int) -> int:
        """Send a slice of a part, streamed from disk.

        Args:
            part: Which one.
            piece: Bytes of the part's file.
            total: Size of the part.

        Returns:
            How many bytes the platform has, from the first on without a gap.
        """
        place = Slice(piece.start, piece.stop, total)
        request = self._part(part, piece, About("part", part.job_id, part.step), place)
        return self._record(request, PartTaken).have

    def ask_part(self, part: PartKey, total: int) -> int:
        """Ask how much of a part the platform has; arguments and answer as in `put_slice`."""
        about = About("ask", part.job_id, part.step)
        request = self._part(part, b"", about, Slice.question(total))
        return self._record(request, PartTaken).have

    def commit(self, job_id: str, step: str, lease: str, commit: StepCommit) -> None:
        """Deliver the result of a step."""
        path = f"/v1/jobs/{job_id}/steps/{step}"
        about = _told("commit", commit, job_id, step, commit.rows)
        self._record(self._json("PUT", path, commit, about, lease=lease), Accepted)

    def fail(self, job_id: str, lease: str, failure: JobFailure) -> None:
        """Say that a job ended without a result, or hand it back."""
        path = f"/v1/jobs/{job_id}/fail"
        about = _told("fail", failure, job_id, failure.step or "")
        self._record(self._json("POST", path, failure, about, lease=lease), Accepted)

    def put_log(self, job_id: str, lease: str, attempt: int, offset: int, text: bytes) -> int:
        """Send text of a job's log.

        Args:
            job_id: Of the job.
            lease: Of the attempt.
            attempt: Its number.
            offset: Where the text begins in the file.
            text: May be empty, to ask what is there.

        Returns:
            Where the text ends that the platform has without a gap from the offset on.
        """
        path = f"/v1/jobs/{job_id}/log?attempt={attempt}&offset={offset}"
        request = self._request("PUT", path, about=About("log", job_id), lease=lease, body=text)
        return self._record(request, LogTaken).have

    def put_names(self, agent_id: str, digest: str, packed: Path) -> None:
        """Send the record names of a pool, streamed from disk.

        Args:
            agent_id: Of this agent.
            digest: SHA-256 over the lines.
            packed: The lines, packed with gzip.
        """
        path = f"/v1/agents/{agent_id}/names/{digest}"
        request = self._request(
            "PUT",
            path,
            {"Content-Encoding": "gzip"},
            about=About("names"),
            body=packed,
            read_timeout_s=NAMES_TIMEOUT_S,
        )
        self._record(request, Accepted)

    def _part(
        self, part: PartKey, body: FileSlice | bytes, about: About, place: Slice | None = None
    ) -> Request:
        path = f"/v1/jobs/{part.job_id}/parts/{part.sha256}"
        more = {} if place is None else {RANGE_HEADER: str(place)}
        return self._request("PUT", path, more, lease=part.lease, about=about, body=body)

    def _json(
        self,
        method: str,
        path: str,
        record: BaseModel,
        about: About,
        *,
        lease: str | None = None,
        **limits: Any,
    ) -> Request:
        body = record.model_dump_json(by_alias=True, exclude_defaults=False).encode()
        return self._request(method, path, _IS_JSON, about=about, lease=lease, body=body, **limits)

    def _request(
        self,
        method: str,
        path: str,
        more: Mapping[str, str] = _NO_MORE,
        *,
        about: About,
        lease: str | None = None,
        **rest: Any,
    ) -> Request:
        """A request with the headers of every call, and `more`; the rest is as in `Request`."""
        headers = {"Authorization": f"Bearer {self._token()}", PROTOCOL_HEADER: str(PROTOCOL)}
        if lease is not None:
            headers[LEASE_HEADER] = lease
        headers.update(more)
        return Request(method, path, headers, about=about, **rest)

    def _record(self, request: Request, model: type[RecordT]) -> RecordT:
        with self._listening(request):
            return read_record(self._transport.send(request), model, self._clock.now())

    @contextmanager
    def _listening(self, request: Request) -> Iterator[None]:
        """Note whether it was the platform that answered; its verdicts are answers too."""
        try:
            yield
        except PlatformUnavailableError as error:
            self._reach.failed(error)
            raise
        except PlatformError as error:
            self._reach.answered()
            if isinstance(error, NotAuthorizedError) and self._is_renewed(request):
                raise PlatformUnavailableError(
                    "the token was replaced while the call was under way", silence="interrupted"
                ) from error
            raise
        self._reach.answered()

    def _is_renewed(self, request: Request) -> bool:
        """Whether another token than that of a call lies in the file by now.

        A poll is held with the token that it came with: who replaces a token and then revokes the
        old one must not end the agent.
        """
        try:
            return request.headers.get("Authorization") != f"Bearer {self._token()}"
        except ConfigError:
            return False  # the next call says what is wrong with the file


def _told(
    call: Call, record: BaseModel, job_id: str = "", step: str = "", samples: int | None = None
) -> About:
    return About(call, job_id, step, field_names(record), samples)
