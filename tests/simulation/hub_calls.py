"""What the hub's HTTP layer does with each call, in one thread: see `hub/api/*_calls.py`."""

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from alectio_agent.agent.client.transport import Request, Response
from alectio_agent.core.errors import PlatformUnavailableError, ProblemError
from alectio_agent.hub.api.claim_calls import LONGEST_HOLD_S, SHORTEST_HOLD
from alectio_agent.hub.experiments.part_form import read_form
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.result_checks import check_parts, check_small
from alectio_agent.wire.agents import Registration
from alectio_agent.wire.claims import ClaimRequest
from alectio_agent.wire.protocol import JSON_MEDIA_TYPE, LEASE_HEADER
from alectio_agent.wire.results import ACCEPTED, Heartbeat, JobFailure, StepCommit
from alectio_agent.wire.slices import PartTaken
from alectio_agent.wire.strict_json import JsonRuleError, loads
from tests.simulation.network import Connection
from tests.simulation.scheduler import Killed

if TYPE_CHECKING:
    from tests.simulation.hub import SimHub
    from tests.simulation.world import World

RecordT = TypeVar("RecordT", bound=BaseModel)


class HubCalls:
    """The endpoints that agents call."""

    def __init__(self, world: "World", hub: "SimHub") -> None:
        self._world = world
        self._hub = hub
        self._store, self._platform, self._dealer = hub.store, hub.platform, hub.dealer
        job = r"/v1/jobs/(?P<job_id>\w+)"
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            ("POST", re.compile("/v1/claims"), self._claim),
            ("POST", re.compile(f"{job}/heartbeat"), self._beat),
            ("PUT", re.compile(rf"{job}/parts/(?P<sha256>\w+)"), self._put_part),
            ("PUT", re.compile(rf"{job}/steps/(?P<step>\w+)"), self._commit),
            ("POST", re.compile(f"{job}/fail"), self._fail),
            ("POST", re.compile("/v1/agents"), self._register),
            ("DELETE", re.compile(r"/v1/agents/(?P<agent_id>\w+)"), self._leave),
        ]

    def serve(self, request: Request, body: bytes, line: Connection) -> Response:
        """Answer one request; raises ProblemError to refuse it."""
        for method, path, call in self._routes:
            found = path.fullmatch(request.path)
            if found and method == request.method:
                named = found.groupdict()
                if "job_id" in named:
                    named["lease"] = request.headers[LEASE_HEADER]
                if call in (self._claim, self._register):
                    return call(body, line)
                return call(body, **named)
        raise ProblemError("not-found", f"this hub has no {request.method} {request.path}")

    def _register(self, body: bytes, line: Connection) -> Response:
        record = _read(body, Registration)
        found = self._store.write(lambda tx: self._platform.register(tx, record)).result()
        self._world.judge.registered(found.agent_id, record, is_copy=line.is_copy)
        return _answer(found)

    def _leave(self, body: bytes, agent_id: str) -> Response:
        self._store.write(lambda tx: self._platform.leave(tx, agent_id)).result()
        return _answer(ACCEPTED)

    def _beat(self, body: bytes, job_id: str, lease: str) -> Response:
        record, platform = _read(body, Heartbeat), self._platform
        found = platform.beat(job_id, lease, record)
        if found is None:
            work = self._store.write(lambda tx: platform.heartbeat(tx, job_id, lease, record))
            found = work.result()
        if found.cancel is None:
            self._world.judge.beat_taken(lease)
        return _answer(found)

    def _put_part(self, body: bytes, job_id: str, lease: str, sha256: str) -> Response:
        platform, store = self._platform, self._store
        if not platform.may_send(job_id, lease):
            store.read(lambda tx: platform.check_part(tx, job_id, lease, sha256)).result()
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ProblemError("invalid", "the bytes that arrived have another digest")
        path = platform.part_path(job_id, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        store.write(lambda tx: platform.part_arrived(tx, job_id, sha256, len(body))).result()
        return _answer(PartTaken(status="accepted", have=len(body)))

    def _commit(self, body: bytes, job_id: str, lease: str, step: str) -> Response:
        record, platform, store = _read(body, StepCommit), self._platform, self._store
        check_small(record)
        if record.parts:
            self._check_parts(job_id, step, lease, record)
        judge = self._world.judge.before_commit(job_id, step, lease, record)
        store.write(lambda tx: platform.commit(tx, job_id, step, lease, record)).result()
        judge.accepted()
        return _answer(ACCEPTED)

    def _check_parts(self, job_id: str, step: str, lease: str, said: StepCommit) -> None:
        platform, store = self._platform, self._store
        work = store.read(lambda tx: platform.expected(tx, job_id, step, lease, said))
        expected = work.result()
        if expected is None:
            return
        gone = [path for path in expected.paths if not path.is_file()]
        if gone:
            missing = [{"sha256": path.name, "have": 0} for path in gone]
            raise ProblemError("parts-missing", "parts are there no more", missing=missing)
        check_parts(said, [read_form(path) for path in expected.paths], expected)

    def _fail(self, body: bytes, job_id: str, lease: str) -> Response:
        record, platform = _read(body, JobFailure), self._platform
        judge = self._world.judge.before_fail(job_id, lease, record)
        self._dealer.write(lambda tx: platform.fail(tx, job_id, lease, record)).result()
        judge.accepted()
        return _answer(ACCEPTED)

    def _claim(self, body: bytes, line: Connection) -> Response:
        wanted, claiming = _read(body, ClaimRequest), self._platform.claiming
        scheduler, rng = self._world.scheduler, self._world.faults.rng
        hold_s = min(wanted.wait_s * rng.uniform(SHORTEST_HOLD, 1.0), LONGEST_HOLD_S)
        ends_at = scheduler.now + hold_s
        is_known = claiming.is_plain(wanted)
        while True:
            if not is_known:
                again = self._store.write(lambda tx: claiming.take(tx, wanted)).result()
                if again is not None:
                    return self._given(wanted, again)
            poll = self._wait(wanted, ends_at, line)
            if line.is_cut:
                raise PlatformUnavailableError("the line is cut", silence="cut")
            if poll.claim is not None:
                return self._given(wanted, poll.claim)
            if poll.error is not None:
                raise poll.error
            if not poll.is_doubted:
                return Response(204, {}, b"")
            is_known = False

    def _wait(self, wanted: ClaimRequest, ends_at: float, line: Connection) -> Poll:
        claiming, scheduler = self._platform.claiming, self._world.scheduler
        poll = Poll(wanted.agent_id, wanted.boot, wanted.seq, frozenset(wanted.free))
        poll.is_brief = ends_at <= scheduler.now
        if claiming.join(poll):
            self._dealer.ask()
        elif poll.is_brief:
            return poll
        poll.wake = line.event.set
        is_left = True
        try:
            while not poll.is_settled and scheduler.now < ends_at and not line.is_cut:
                scheduler.wait(line.event, ends_at - scheduler.now)
                line.event.clear()
        except Killed:
            # The hub hears of the end of a connection, or it does not.
            is_left = self._world.faults.rng.random() < 0.7
            raise
        finally:
            if is_left:
                claiming.polls.leave(poll)
            else:
                scheduler.at(ends_at, lambda: claiming.polls.leave(poll))
        return poll

    def _given(self, wanted: ClaimRequest, claim: Any) -> Response:
        self._world.judge.given(wanted, claim)
        return _answer(claim)


def _read(body: bytes, model: type[RecordT]) -> RecordT:
    try:
        return model.model_validate(loads(body))
    except (JsonRuleError, ValidationError) as error:
        raise ProblemError("invalid", str(error)) from error


def _answer(record: BaseModel) -> Response:
    body = record.model_dump_json(by_alias=True).encode()
    return Response(200, {"content-type": JSON_MEDIA_TYPE}, body)
