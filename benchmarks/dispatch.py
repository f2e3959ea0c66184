"""From a job that becomes available to the first line of its function, the worker idle before.

Ours is a loop that waits for labels: its samples are chosen, and a person sends the last label of
them. The job becomes available in the hub's transaction that takes this label, and the span begins
at the moment that this transaction writes into the job, before its commit is durable. It ends at
the first line of `train`, in a hook process that is warm. Between: the commit, the answer to the
poll that the agent holds there, with a commit of its own, the claim in the agent's journal, the
first heartbeat there and back, with a third commit, and the command to the hook process. The same
is measured from before the person's call, over HTTP, in which the hub checks the label besides.

RQ, Celery: from right before `enqueue` or `send_task` to the first line of the function: this call
is what makes a job available there, and Redis commits nothing. RQ also from the return of
`enqueue`. Flask: from right before the caller's POST. All stand ready all the time, and each gets
one job after another in turn, once the processes of all did nothing for 0.3 s.
"""

import contextlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Mark, Marks
from benchmarks.peers.peer import Peer
from benchmarks.processes import wait_until, wait_until_idle

PASSES, JOBS, WARM_UP = 3, 25, 3
PATH = "/v1/experiments/bench"
AVAILABLE, LABELS = "job available", "last label sent"
RQ, FLASK = "RQ, a fork per job", "plain Flask push"
RQ_RETURNED = "RQ, from `enqueue`'s return"
TARGETS = {RQ: 0.6, FLASK: 3.0}
NEWEST_AVAILABLE = (
    "SELECT available_at FROM jobs WHERE state != 'labelling' ORDER BY loop DESC LIMIT 1"
)


@dataclass(frozen=True)
class Runner:
    """Somebody who can be given a job.

    Attributes:
        word: What the job's first line says.
        prepare: Called before each job; what it gives is what is sent.
        send: Makes the job available.
        spans: Milliseconds by name: of when it was sent, when that returned, and its first line.
    """

    word: str
    prepare: Callable[[], object]
    send: Callable[[object], object]
    spans: Callable[[float, float, Mark], dict[str, float]]


def main() -> None:
    passes, jobs = (1, 2) if is_quick() else (PASSES, JOBS)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        marks = Marks(folder)
        ours = stack.enter_context(deployed(folder / "ours", marks))
        pids = [ours.hub.pid, stack.enter_context(ours.agent()).pid]
        ours.create("bench", WARM_UP + passes * jobs + 1, labels={"kind": "csv"})
        runners = [our_runner(ours, folder / "ours" / "hub" / "hub.db")]
        for peer in [] if is_quick() else all_peers(stack, folder, marks):
            pids.append(stack.enter_context(peer.working()).pid)
            runners.append(peer_runner(peer))
        for _ in range(WARM_UP):
            run_round(runners, marks, pids)
        found = [[run_round(runners, marks, pids) for _ in range(jobs)] for _ in range(passes)]
        publish("dispatch", figures(found))


def all_peers(stack: contextlib.ExitStack, folder: Path, marks: Marks) -> list[Peer]:
    from benchmarks.peers.celery_worker import celery_peer
    from benchmarks.peers.flask_push import flask_peer
    from benchmarks.peers.redis_server import running_redis
    from benchmarks.peers.rq_worker import SIMPLE, rq_peer

    url = stack.enter_context(running_redis(folder))
    return [
        rq_peer(folder / "rq", marks, url),
        flask_peer(folder / "flask", marks),
        rq_peer(folder / "rq-simple", marks, url, SIMPLE),
        celery_peer(folder / "celery", marks, url),
    ]


def peer_runner(peer: Peer) -> Runner:
    def spans(sent_s: float, returned_s: float, mark: Mark) -> dict[str, float]:
        found = {peer.name: (mark.began_s - sent_s) * 1000}
        if peer.name == RQ:
            found[RQ_RETURNED] = (mark.began_s - returned_s) * 1000
        return found

    return Runner("run", lambda: None, lambda _: peer.send(), spans)


def our_runner(ours: Deployment, database: Path) -> Runner:
    """Sends the last label of the next loop."""

    def spans(sent_s: float, _: float, mark: Mark) -> dict[str, float]:
        available_ms = (mark.began_at - available_at(database)) * 1000
        return {AVAILABLE: available_ms, LABELS: (mark.began_s - sent_s) * 1000}

    return Runner(
        "train",
        lambda: labels(ours),
        lambda body: ours.call("POST", f"{PATH}/labels", body),
        spans,
    )


def available_at(database: Path) -> float:
    """When the hub made the newest job available, seconds since 1970."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as read:
        return datetime.fromisoformat(read.execute(NEWEST_AVAILABLE).fetchone()[0]).timestamp()


def labels(ours: Deployment) -> object:
    """What a person says of the samples of the next loop, once they are asked for."""
    wait_until(lambda: bool(ours.asked("bench")), 60, "a loop that asks for labels")
    return {"rows": [{"index": index, "label": index % 2} for index in ours.asked("bench")]}


def run_round(runners: list[Runner], marks: Marks, pids: list[int]) -> dict[str, float]:
    """One job for each; milliseconds by name."""
    found: dict[str, float] = {}
    for runner in runners:
        found |= run_once(runner, marks, pids)
    return found


def run_once(runner: Runner, marks: Marks, pids: list[int]) -> dict[str, float]:
    body = runner.prepare()
    wait_until_idle(pids)
    marks.forget()
    sent_s = time.monotonic()
    runner.send(body)
    returned_s = time.monotonic()
    return runner.spans(sent_s, returned_s, marks.wait_for(runner.word))


def figures(found: list[list[dict[str, float]]]) -> list[Figure]:
    """Ours beside each peer: for each pass a median, and the 99th of a hundred of it."""
    of, worst = by_name(found, statistics.median), by_name(found, p99)
    peers = [name for name in of if name not in (AVAILABLE, LABELS, RQ_RETURNED)]
    what = f"{AVAILABLE} to first line of `train`"
    if not peers:
        return [figure(f"{what}, p50", of, AVAILABLE), figure(f"{what}, p99", worst, AVAILABLE)]
    return [
        *(figure(f"{what}, p50", of, AVAILABLE, peer) for peer in [*peers, RQ_RETURNED]),
        figure(f"{what}, p99", worst, AVAILABLE, RQ),
        figure(f"{LABELS} to first line of `train`, p50", of, LABELS, RQ),
    ]


def figure(what: str, of: dict[str, tuple[float, ...]], ours: str, peer: str = "") -> Figure:
    beside = of[peer] if peer else ()
    limit = TARGETS.get(peer) if (ours, what[-3:]) == (AVAILABLE, "p50") else None
    return Figure(what, "ms", of[ours], peer, beside, most=limit)


def by_name(
    found: list[list[dict[str, float]]], take: Callable[[list[float]], float]
) -> dict[str, tuple[float, ...]]:
    """One number for each pass."""
    return {
        name: tuple(take([times[name] for times in one_pass]) for one_pass in found)
        for name in found[0][0]
    }


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[98]


if __name__ == "__main__":
    main()
