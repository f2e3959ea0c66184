"""A platform on a database in memory, without threads: each call is one transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, delete, event

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.selection_worker import SelectionWorker
from alectio_agent.hub.store.engines import changes, open_engine
from alectio_agent.hub.store.schema import prepare
from alectio_agent.hub.store.tables import meta, metadata
from alectio_agent.hub.store.transactions import take_actions, take_touched
from alectio_agent.wire.agents import Registration
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.labels import LabelImport, LabelQueue, LabelsImported
from alectio_agent.wire.operation import (
    ExperimentExtend,
    ExperimentRewind,
    ExperimentUpdate,
    ExperimentView,
    LoopView,
)
from alectio_agent.wire.results import Heartbeat, HeartbeatAnswer, JobFailure, StepCommit
from tests.support.clocks import FakeClock

ResultT = TypeVar("ResultT")
DIGEST = "d" * 64


class BenchStore:
    """Implements `Store` on the caller's thread; memory changes after the commit, as there."""

    def __init__(self) -> None:
        self._engine = open_engine(None, is_writer=True)
        with self._engine.begin() as tx:
            prepare(tx, FakeClock(), "memory")
        self.commits = 0
        self._follower: Callable[[set[str]], None] = lambda touched: None

    def on_touch(self, follower: Callable[[set[str]], None]) -> None:
        self._follower = follower

    def save(self) -> None:
        """Make a backup of all rows."""
        self._backup = sqlite3.connect(":memory:", check_same_thread=False)
        self._driver().backup(self._backup)

    def restore(self) -> None:
        """Bring the rows of the backup back."""
        self._backup.backup(self._driver())
        self._backup.close()

    def _driver(self) -> Any:
        with self._engine.connect() as tx:
            return tx.connection.driver_connection

    def clear(self) -> None:
        """Forget all rows. An engine is shared by tests, as each compiles all statements anew."""
        with self._engine.begin() as tx:
            for table in metadata.sorted_tables:
                if table is not meta:
                    tx.execute(delete(table))

    def write(self, work: Callable[[Connection], ResultT]) -> "Future[ResultT]":
        done: Future[ResultT] = Future()
        with self._engine.connect() as tx:
            before = changes(tx)
            try:
                with tx.begin():
                    done.set_result(work(tx))
            except Exception as error:  # noqa: BLE001 - as the store does: the caller hears of it
                take_actions(tx)
                take_touched(tx)
                done.set_exception(error)
                return done
            for action in take_actions(tx):
                action()
            if touched := take_touched(tx):
                self._follower(touched)
            self.commits += changes(tx) != before
        return done

    def read(self, work: Callable[[Connection], ResultT]) -> "Future[ResultT]":
        """The store's connection for reading refuses to write; this one would not."""
        before = self.commits
        done = self.write(work)
        assert self.commits == before, "a reading transaction wrote"
        return done

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Statements that are executed inside."""
        seen: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(self._engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self._engine, "before_cursor_execute", note)


class FakeAnalysis:
    """Chooses the smallest indices that are free; every metric is a tenth of the rows judged."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any] | Exception] = []
        self.accuracy = 0.5

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self._select(request) if request["op"] == "select" else self._judge()

    def _judge(self) -> dict[str, Any]:
        names = ("accuracy", "macro_f1", "macro_precision", "macro_recall")
        values = dict.fromkeys(names, self.accuracy)
        return {"metrics": values, "per_class": {}, "confusion": [[1, 0], [0, 1]]}

    def _select(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["result"] is None:
            free = [at for at in range(request["pool"]) if at not in set(request["labeled"])]
        else:
            spent = set(request.get("labeled", []))
            free = [at for at, _ in request["result"]["inline"]["rows"] if at not in spent]
        chosen = free[: request["batch"]]
        reason = request["strategy"][0]["name"]
        scores = [None if reason == "random" else 0.25] * len(chosen)
        return {
            "indices": chosen,
            "scores": scores,
            "reasons": [reason] * len(chosen),
            "pool": len(free),
            "equal_rows": 0,
        }


class BenchAgent:
    """An agent as the platform sees it: registers, polls, beats, commits."""

    def __init__(self, bench: "Bench", name: str, **said: Any) -> None:
        self._bench = bench
        self.name = name
        self.said: dict[str, Any] = {
            "installation_id": f"installation-{name}",
            "boot": {"count": 1, "id": f"boot-{name}-1"},
            "name": name,
            "version": "1.0",
            "pipelines": [{"name": "digits", "pool_size": 20}],
            **said,
        }
        self.agent_id = ""
        self.seq = 0

    def register(self, **said: Any) -> "BenchAgent":
        self.said |= said
        record = Registration.model_validate(self.said)
        platform = self._bench.platform
        self.agent_id = self._bench.run(lambda tx: platform.register(tx, record)).agent_id
        return self

    def restart(self, **said: Any) -> "BenchAgent":
        count = self.said["boot"]["count"] + 1
        self.seq = 0
        return self.register(boot={"count": count, "id": f"boot-{self.name}-{count}"}, **said)

    def poll(self, seq: int | None = None, **said: Any) -> Claim | None:
        request = ClaimRequest.model_validate(
            {
                "agent_id": self.agent_id,
                "boot": self.said["boot"]["id"],
                "seq": self.seq + 1 if seq is None else seq,
                "wait_s": 20,
                "free": [offer["name"] for offer in self.said["pipelines"]],
                **said,
            }
        )
        claim = self._bench.take_poll(request)
        if claim is not None:
            self.seq = request.seq
        return claim

    def wait(self, *free: str) -> Poll:
        """Stand in line; the hub has heard of the agent before."""
        names = frozenset(free or ("digits",))
        poll = Poll(self.agent_id, self.said["boot"]["id"], self.seq + 1, names)
        self._bench.platform.claiming.join(poll)
        return poll

    def claim(self, **said: Any) -> Claim:
        claim = self.poll(**said)
        assert claim is not None, "there is no job"
        return claim

    def start(self) -> Claim:
        """Claim, and beat once."""
        claim = self.claim()
        self.beat(claim)
        return claim

    def beat(self, claim: Claim, **said: Any) -> HeartbeatAnswer:
        record = Heartbeat.model_validate({"step": claim.steps[0].step, **said})
        platform = self._bench.platform
        answer = platform.beat(claim.job_id, claim.lease, record)
        if answer is not None:
            return answer
        return self._bench.run(lambda tx: platform.heartbeat(tx, claim.job_id, claim.lease, record))

    def commit(self, claim: Claim, *steps: str, **said: Any) -> None:
        platform = self._bench.platform
        for step in steps or [order.step for order in claim.steps]:
            record = make_commit(claim, step, **said)
            refusal = self._bench.run(
                lambda tx, step=step, record=record: platform.commit(
                    tx, claim.job_id, step, claim.lease, record
                )
            )
            if refusal is not None:
                raise refusal

    def fail(self, claim: Claim, kind: str, step: str | None = "train", **said: Any) -> None:
        record = JobFailure.model_validate(
            {"key": f"fail-{claim.lease}", "step": step, "class": kind, "message": kind, **said}
        )
        platform = self._bench.platform
        self._bench.run(lambda tx: platform.fail(tx, claim.job_id, claim.lease, record))

    def leave(self) -> None:
        self._bench.run(lambda tx: self._bench.platform.leave(tx, self.agent_id))


class Bench:
    """A platform with its clock, its store, its analysis and the worker that asks it."""

    def __init__(self, folder: Path, store: BenchStore) -> None:
        store.clear()
        self.folder = folder
        self.clock = FakeClock()
        self.store = store
        self.analysis = FakeAnalysis()
        self.restart_hub()

    def restart_hub(self) -> None:
        """Forget everything that is only in memory."""
        self.platform = Platform(self.folder / "data", self.folder / "results", self.clock)
        self.platform.claiming.follow(self.store)  # type: ignore[arg-type]
        self.worker = SelectionWorker(self.store, self.platform, self.analysis)  # type: ignore[arg-type]

    def restore(self) -> None:
        """Start a hub on what `store.save` kept; agents know nothing of it."""
        self.store.restore()
        self.restart_hub()

    def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        return self.store.write(work).result()

    def take_poll(self, request: ClaimRequest) -> Claim | None:
        """As the API does it, for an agent that does not wait."""
        claiming = self.platform.claiming
        again = None
        if not claiming.is_plain(request):
            again = self.run(lambda tx: claiming.take(tx, request))
        if again is not None:
            return again
        poll = Poll(request.agent_id, request.boot, request.seq, frozenset(request.free))
        poll.is_brief = True
        if claiming.join(poll):
            self.run(claiming.deal)
        claiming.polls.leave(poll)
        return poll.claim

    def settle(self) -> None:
        """Make everything that is owed."""
        while self.worker.step() == 0.0:
            pass

    def agent(self, name: str = "gpu01", **said: Any) -> BenchAgent:
        return BenchAgent(self, name, **said).register()

    def create(self, **changed: Any) -> ExperimentView:
        """Make `digits`: 2 classes, 3 loops of 4 from a pool of 20; with its first selection."""
        view = self.run(lambda tx: self.platform.create(tx, make_settings(**changed)))
        self.settle()
        return view

    def steer(self, verb: str, *said: Any, name: str = "digits") -> ExperimentView:
        """Do to an experiment what a person does, as the endpoint of that name."""
        method = getattr(self.platform, verb)
        view: ExperimentView = self.run(lambda tx: method(tx, name, *said))
        return view

    def rewind(self, loops: int = 1, name: str = "digits") -> ExperimentView:
        return self.steer("rewind", ExperimentRewind(loops=loops), name=name)

    def update(self, **changed: Any) -> ExperimentView:
        """Give an experiment the settings of `create`, changed."""
        settings = make_settings(**changed)
        return self.steer("update", ExperimentUpdate(settings=settings), name=settings.name)

    def extend(self, name: str = "digits", **said: int) -> ExperimentView:
        return self.steer("extend", ExperimentExtend(**said), name=name)

    def bring(
        self, given: dict[int, Any] | None = None, *, name: str = "digits", **said: Any
    ) -> LabelsImported:
        """Import labels, by index; without any, label 0 for all that is asked for."""
        if given is None:
            samples = self.queue(name=name).samples
            given = {sample.index: 0 for sample in samples if sample.status == "asked"}
        rows = [{"index": index, "label": label} for index, label in given.items()]
        record = LabelImport.model_validate({"rows": rows, **said})
        return self.run(lambda tx: self.platform.import_labels(tx, name, record))

    def queue(self, *, is_whole: bool = False, name: str = "digits") -> LabelQueue:
        """Which samples people are asked for."""
        return self.run(lambda tx: self.platform.label_queue(tx, name, is_whole=is_whole))

    def run_loops(self, agent: "BenchAgent", most: int = 100) -> list[str]:
        """Run until there is no job; gives the jobs, with the steps of each."""
        ran = []
        while len(ran) < most and (claim := agent.poll()) is not None:
            agent.beat(claim)
            agent.commit(claim)
            self.settle()
            steps = " ".join(order.step for order in claim.steps)
            ran.append(f"{claim.job} {steps}")
        return ran

    def show(self, name: str = "digits") -> ExperimentView:
        return self.run(lambda tx: self.platform.show(tx, name))

    def loop(self, loop: int, name: str = "digits") -> LoopView:
        return self.show(name).loops[loop]

    def tick(self, seconds: float = 0.0) -> None:
        """Let time pass, then let the platform look at the clock."""
        self.clock.advance(seconds)
        self.run(self.platform.tick)

    def stay_awake(self, seconds: float) -> None:
        """Let time pass for a hub whose ticker turns, which looks at the clock at the end."""
        self.platform.turn(seconds)
        self.clock.advance(seconds)
        self.platform.turn(1)
        self.tick()

    def stand_still(self, seconds: float) -> None:
        """Let time pass for a hub that was stopped, and whose ticker is the first to wake up."""
        self.platform.turn(1)
        self.clock.advance(seconds)
        self.platform.turn(1)
        self.tick()

    def put_part(self, claim: Claim, sha256: str = DIGEST, content: bytes = b"part") -> Path:
        """What the API does with a part."""
        self.run(lambda tx: self.platform.check_part(tx, claim.job_id, claim.lease, sha256))
        path = self.platform.part_path(claim.job_id, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.run(lambda tx: self.platform.part_arrived(tx, claim.job_id, sha256, len(content)))
        return path

    def put_part_folder(self, job_id: str) -> Path:
        """A part file that no row tells of."""
        path = self.platform.part_path(job_id, DIGEST)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"part")
        return path


def make_settings(**changed: Any) -> ExperimentSettings:
    raw = {
        "name": "digits",
        "classes": 2,
        "batch": 4,
        "loops": 3,
        "strategy": "margin",
        **changed,
    }
    return ExperimentSettings.model_validate(raw)


def make_commit(claim: Claim, step: str, **said: Any) -> StepCommit:
    """The result of a step as an agent would send it, with one row for each sample asked for."""
    order = next((order for order in claim.steps if order.step == step), None)
    indices = getattr(order.payload, "unlabeled", [0, 1]) if order else [0]
    inline: dict[str, Any] = {"rows": [[index, [0.5, 0.25]] for index in indices]}
    if step == "train":
        inline = {"labels": None, "hyperparams": {"lr": 0.1}}
    return StepCommit.model_validate(
        {
            "key": f"{step}-{claim.lease}",
            "media_type": "application/x-npz" if said.get("parts") else "application/json",
            "rows": 0 if step == "train" else len(indices),
            "inline": None if said.get("parts") else inline,
            "duration_s": 1.5,
            "finished_at": "2026-01-01T00:00:05.000Z",
            **said,
        }
    )


@contextmanager
def refused(problem: str) -> Iterator[pytest.ExceptionInfo[ProblemError]]:
    """The platform refuses what is done inside, with that problem."""
    with pytest.raises(ProblemError) as caught:
        yield caught
    assert caught.value.problem == problem, caught.value.message
