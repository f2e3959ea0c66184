"""Stand-ins for the hub's rooms below the API: a store without a disk, a platform that records."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.api.pulse import Pulse
from alectio_agent.hub.api.services import Limits, Services
from alectio_agent.hub.experiments.claiming import Claiming
from alectio_agent.hub.experiments.dealing import Deal
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.polls import Polls
from alectio_agent.hub.experiments.roll import Kind
from alectio_agent.hub.store.store import Store
from alectio_agent.hub.store.tables import metadata
from alectio_agent.wire.agents import ProtocolRange, Registered
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.labels import LabelImport, LabelQueue, LabelsImported
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.operation import (
    AgentList,
    AgentView,
    ExperimentExtend,
    ExperimentList,
    ExperimentRetry,
    ExperimentRewind,
    ExperimentUpdate,
    ExperimentView,
    JobList,
)
from alectio_agent.wire.results import HeartbeatAnswer
from tests.support.clocks import FakeClock


class InlineStore:
    """Runs every piece of work at once, on the caller's thread."""

    def __init__(self) -> None:
        self._engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        metadata.create_all(self._engine)
        self.writes = 0

    def write(self, work: Callable[[Connection], Any]) -> "Future[Any]":
        self.writes += 1
        return self._run(work)

    def read(self, work: Callable[[Connection], Any]) -> "Future[Any]":
        return self._run(work)

    def close(self) -> None:
        self._engine.dispose()

    def _run(self, work: Callable[[Connection], Any]) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            with self._engine.begin() as tx:
                done.set_result(work(tx))
        except Exception as error:  # noqa: BLE001 - it belongs to the caller
            done.set_exception(error)
        return done


class FakeClaiming:
    """Gives the jobs of a stand-in to those who wait; asks it about each poll."""

    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform
        self.polls = Polls(FakeClock())
        self.may_deal = True

    def is_plain(self, request: Any) -> bool:
        return False

    def take(self, tx: Connection, request: Any) -> Claim | None:
        self._platform._note("claim", request.agent_id, request.seq)
        return None

    def join(self, poll: Poll) -> bool:
        self.polls.join(poll, ANY_KIND, 0)
        return True

    def deal(self, tx: Connection) -> Deal:
        found = Deal()
        jobs, lines = self._platform.jobs_waiting, self.polls.kinds("digits")
        for key in lines:
            poll = next(self.polls.in_line(key), None)
            if poll is not None and jobs and self.polls.pick(poll):
                self.polls.settle(poll, jobs.pop(0))
                found.dealt.append((poll, poll.claim))
        found.brief += self.polls.considered(0, self.polls.newest_serial)
        return found

    def take_back(self, undone: Deal) -> None:
        raise AssertionError("nothing was undone")


ANY_KIND = Kind(frozenset(), (("digits", None, None),))


class FakePlatform:
    """Answers what it was given, and records what it was asked."""

    def __init__(self, parts: Path) -> None:
        self.parts = parts
        self.asked: list[tuple[Any, ...]] = []
        self.jobs_waiting: list[Claim] = []
        self.claiming = FakeClaiming(self)
        self.view = make_view(version=3)
        self.beat_in_memory: HeartbeatAnswer | None = None
        self.refusal: Exception | None = None
        self.log: LogText | None = None
        self.jobs_are_over = False

    def _note(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal

    def platform_id(self, tx: Connection) -> str:
        return "platform-1"

    def register(self, tx: Connection, registration: Any) -> Registered:
        self._note("register", registration)
        return Registered(
            agent_id="agent-1",
            platform_id="platform-1",
            lease_s=90,
            poll_wait_s=20,
            max_part_bytes=1000,
            protocol=ProtocolRange(min=1, max=1),
        )

    def leave(self, tx: Connection, agent_id: str) -> None:
        self._note("leave", agent_id)

    def beat(self, job_id: str, lease: str, heartbeat: Any) -> HeartbeatAnswer | None:
        self.asked.append(("beat", job_id, lease))
        return self.beat_in_memory

    def heartbeat(self, tx: Connection, job_id: str, lease: str, heartbeat: Any) -> HeartbeatAnswer:
        self._note("heartbeat", job_id, lease, heartbeat.step)
        return HeartbeatAnswer(cancel="paused by a person")

    def commit(self, tx: Connection, job_id: str, step: str, lease: str, commit: Any) -> None:
        self._note("commit", job_id, step, lease, commit.key)

    def fail(self, tx: Connection, job_id: str, lease: str, failure: Any) -> None:
        self._note("fail", job_id, lease, failure.failure_class)

    def check_part(self, tx: Connection, job_id: str, lease: str, sha256: str) -> None:
        self._note("check_part", job_id, lease, sha256)

    def may_send(self, job_id: str, lease: str) -> bool:
        return False

    def is_over(self, tx: Connection, job_id: str) -> bool:
        return self.jobs_are_over

    def part_path(self, job_id: str, sha256: str) -> Path:
        return self.parts / job_id / sha256

    def part_arrived(self, tx: Connection, job_id: str, sha256: str, size_bytes: int) -> None:
        self._note("part_arrived", job_id, sha256, size_bytes)

    def check_log(self, tx: Connection, job_id: str, lease: str, attempt: int) -> None:
        self._note("check_log", job_id, lease, attempt)

    def put_log(self, job_id: str, attempt: int, offset: int, text: bytes) -> int:
        self._note("put_log", job_id, attempt, offset, text)
        return offset + len(text)

    def check_job(self, tx: Connection, job_id: str) -> None:
        self._note("check_job", job_id)

    def job_of_loop(self, tx: Connection, name: str, loop: int) -> str:
        self._note("job_of_loop", name, loop)
        return "job-1"

    def read_log(self, job_id: str, attempt: int | None, offset: int) -> LogText | None:
        self._note("read_log", job_id, attempt, offset)
        return self.log

    def create(
        self, tx: Connection, settings: ExperimentSettings, series: str | None = None
    ) -> ExperimentView:
        self._note("create", settings.name)
        return self.view

    def show(self, tx: Connection, name: str) -> ExperimentView:
        self._note("show", name)
        if name != self.view.name:
            raise ProblemError("not-found", f"no experiment {name}")
        return self.view

    def list(self, tx: Connection) -> ExperimentList:
        return ExperimentList(experiments=[self.view])

    def retry(self, tx: Connection, name: str, said: ExperimentRetry) -> ExperimentView:
        return self._steer("retry", name, said.step)

    def pause(self, tx: Connection, name: str) -> ExperimentView:
        return self._steer("pause", name)

    def resume(self, tx: Connection, name: str) -> ExperimentView:
        return self._steer("resume", name)

    def cancel(self, tx: Connection, name: str) -> ExperimentView:
        return self._steer("cancel", name)

    def reassign(self, tx: Connection, name: str) -> ExperimentView:
        return self._steer("reassign", name)

    def rewind(self, tx: Connection, name: str, said: ExperimentRewind) -> ExperimentView:
        return self._steer("rewind", name, said.loops)

    def extend(self, tx: Connection, name: str, said: ExperimentExtend) -> ExperimentView:
        return self._steer("extend", name, said.pool, said.loops)

    def update(self, tx: Connection, name: str, said: ExperimentUpdate) -> ExperimentView:
        return self._steer("update", name, said.settings.batch)

    def history(self, tx: Connection, name: str) -> dict[str, Any]:
        self._note("history", name)
        return {"schema": 1, "name": name, "loops": [{"loop": 0}]}

    def label_queue(self, tx: Connection, name: str, *, is_whole: bool) -> LabelQueue:
        self._note("label_queue", name, is_whole)
        return LabelQueue(name=name, state="running", loops=[], samples=[])

    def see_labels(self, tx: Connection, name: str) -> str:
        return name

    def check_labels(self, seen: str, said: LabelImport) -> tuple[str, int]:
        return seen, len(said.rows)

    def import_labels(
        self, tx: Connection, name: str, said: LabelImport, checked: tuple[str, int]
    ) -> LabelsImported:
        assert checked == (name, len(said.rows))
        self._note("import_labels", name, [(row.index, row.label) for row in said.rows])
        return LabelsImported(
            state="running", new=len(said.rows), corrected=0, unchanged=0, excluded=0, missing=0,
            asked=4, loop=0, started=True, effective_loop=0,
        )  # fmt: skip

    def _steer(self, verb: str, name: str, *said: Any) -> ExperimentView:
        self._note(verb, name, *said)
        return self.view

    def jobs(self, tx: Connection) -> JobList:
        return JobList(jobs=[])

    def remove_agent(self, tx: Connection, agent_id: str, *, is_forced: bool) -> AgentView:
        self._note("remove", agent_id, is_forced)
        return AgentView(
            agent_id=agent_id, name="gpu01", version="1", pipelines=[], registered_at="",
            last_contact_at="",
        )  # fmt: skip

    def agents(self, tx: Connection) -> AgentList:
        return AgentList(agents=[])


def make_view(**changed: Any) -> ExperimentView:
    """The experiment `digits`, unless changed."""
    return ExperimentView.model_validate(
        {
            "experiment_id": "experiment-1",
            "name": "digits",
            "state": "running",
            "settings": {"name": "digits", "classes": 10, "batch": 30, "loops": 10},
            "pool": 1437,
            "version": 1,
            "created_at": "2026-01-01T00:00:00.000Z",
            **changed,
        }
    )


AGENT_TOKEN, OPERATOR_TOKEN, VIEWER_TOKEN = "token-agent", "token-operator", "token-viewer"


class HubScene:
    """Services over the stand-ins; holds last until told."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.clock = FakeClock()
        self.store = InlineStore()
        self.platform = FakePlatform(folder / "parts")
        self.commits = Pulse()
        self.slept: list[float] = []
        self.time_is_up = asyncio.Event()
        store = cast(Store, self.store)
        self.services = Services(
            store=store,
            platform=cast(Platform, self.platform),
            gate=Gate(
                store,
                self.clock,
                {AGENT_TOKEN: "agent", OPERATOR_TOKEN: "operator", VIEWER_TOKEN: "viewer"},
            ),
            holds=Holds(self._sleep),
            commits=self.commits,
            dealer=Dealer(store, cast(Claiming, self.platform.claiming), self.clock),
            clock=self.clock,
            rng=random.Random(1),
            results=folder / "results",
            limits=limits or Limits(),
            limit=self._limit,
        )

    def stop_time(self) -> None:
        """From the event loop: what a busy machine takes is no part of a hold from now on."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        # Timers that are due still run.
        loop.time = lambda: now_s  # type: ignore[method-assign]

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.time_is_up.wait()

    def _limit(self, seconds: float | None) -> asyncio.Timeout:
        if seconds is None:
            return asyncio.timeout(None)
        self.slept.append(seconds)
        return asyncio.timeout(0 if self.time_is_up.is_set() else None)

    def listen(self) -> None:
        """From the event loop, as a hub that starts."""
        self.commits.listen()
        self.services.dealer.listen()
