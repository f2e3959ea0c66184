"""From a job that becomes available to the first line of its function, the worker idle before.

Ours begins right before a person's last label is sent to the hub over HTTP: checked and committed,
it makes the next loop available. It ends at the first line of `train`, in a hook process that is
warm. Between: the hub's commits, the answer to the poll that the agent holds there, the claim in
the agent's journal, the first heartbeat there and back, and the command to the hook process.
RQ, Celery: `enqueue` or `send_task` to the first line of the function. Flask: from the caller's
POST to it. All stand ready all the time, and each gets one job after another in turn.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.peers.peer import Peer
from benchmarks.processes import wait_until, wait_until_idle

PASSES, JOBS, WARM_UP = 3, 25, 3
OURS = "dispatch"


@dataclass(frozen=True)
class Runner:
    """Somebody who can be given a job.

    Attributes:
        word: What the job's first line says.
        prepare: Called before each job; what it gives is what is sent.
        send: Makes the job available.
    """

    name: str
    word: str
    prepare: Callable[[], object]
    send: Callable[[object], object]


def main() -> None:
    passes, jobs = (1, 2) if is_quick() else (PASSES, JOBS)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        marks = Marks(folder)
        ours = stack.enter_context(deployed(folder / "ours", marks))
        pids = [ours.hub.pid, stack.enter_context(ours.agent()).pid]
        ours.create("bench", WARM_UP + passes * jobs + 1, labels={"kind": "csv"})
        runners = [our_runner(ours)]
        for peer in [] if is_quick() else all_peers(stack, folder, marks):
            pids.append(stack.enter_context(peer.working()).pid)
            runners.append(peer_runner(peer))
        for _ in range(WARM_UP):
            run_round(runners, marks, pids)
        found = [[run_round(runners, marks, pids) for _ in range(jobs)] for _ in range(passes)]
        publish("dispatch", figures([runner.name for runner in runners], found))


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
    return Runner(peer.name, "run", lambda: None, lambda _: peer.send())


def our_runner(ours: Deployment) -> Runner:
    path = "/v1/experiments/bench/labels"

    def prepare() -> object:
        wait_until(lambda: bool(ours.asked("bench")), 60, "a loop that asks for labels")
        return {"rows": [{"index": index, "label": index % 2} for index in ours.asked("bench")]}

    return Runner(OURS, "train", prepare, lambda body: ours.call("POST", path, body))


def run_round(runners: list[Runner], marks: Marks, pids: list[int]) -> list[float]:
    """One job for each; milliseconds of each."""
    return [run_once(runner, marks, pids) for runner in runners]


def run_once(runner: Runner, marks: Marks, pids: list[int]) -> float:
    body = runner.prepare()
    wait_until_idle(pids)
    start_s = time.monotonic()
    runner.send(body)
    return (marks.wait_for(runner.word).began_s - start_s) * 1000


def figures(names: list[str], found: list[list[list[float]]]) -> list[Figure]:
    """Ours beside each peer: for each pass a median, and the 99th of a hundred of it."""
    medians = [by_runner(one_pass, statistics.median) for one_pass in found]
    worst = [by_runner(one_pass, p99) for one_pass in found]
    of = {name: tuple(one[at] for one in medians) for at, name in enumerate(names)}
    of_worst = {name: tuple(one[at] for one in worst) for at, name in enumerate(names)}
    what = "job available to first line of `train`, p50"
    targets = {"RQ, a fork per job": 0.6, "plain Flask push": 3.0}
    beside = [
        Figure(what, "ms", of[OURS], name, of[name], most=targets.get(name)) for name in names[1:]
    ] or [Figure(what, "ms", of[OURS])]
    return beside + [
        Figure("the same, p99", "ms", of_worst[OURS], name, of_worst[name]) for name in names[1:2]
    ]


def by_runner(rounds: list[list[float]], take: Callable[[list[float]], float]) -> list[float]:
    return [take(list(times)) for times in zip(*rounds, strict=True)]


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[98]


if __name__ == "__main__":
    main()
