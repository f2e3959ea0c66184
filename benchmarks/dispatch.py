"""From a job that becomes available to the first line of its function, the worker idle before.

Ours begins right before a call over HTTP which makes the next loop of an experiment available: its
samples are chosen and labelled, and only a pause holds it back. It ends at the first line of
`train`, in a hook process that is warm. Between: the hub's commit, the answer to the poll that the
agent holds there, with a commit of its own, the claim in the agent's journal, the first heartbeat
there and back, with a third commit, and the command to the hook process. The same is measured from
a person's last label, which the hub checks besides.

RQ, Celery: `enqueue` or `send_task` to the first line of the function. Flask: from the caller's
POST to it. All stand ready all the time, and each gets one job after another in turn, once the
processes of all did nothing for 0.3 s.
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
PATH = "/v1/experiments/bench"
RESUMED, LABELS = "resumed", "labels"


TARGETS = {"RQ, a fork per job": 0.6, "plain Flask push": 3.0}


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
        loops = 2 * (WARM_UP + passes * jobs) + 1
        ours.create("bench", loops, labels={"kind": "csv"})
        runners = [by_resuming(ours), by_labels(ours)]
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


def by_labels(ours: Deployment) -> Runner:
    """Sends the last label of the next loop."""
    return Runner(
        LABELS,
        "train",
        lambda: labels(ours),
        lambda body: ours.call("POST", f"{PATH}/labels", body),
    )


def by_resuming(ours: Deployment) -> Runner:
    """Lets an experiment go on whose next loop was held back by a pause only."""

    def prepare() -> None:
        body = labels(ours)
        ours.call("POST", f"{PATH}/pause")
        ours.call("POST", f"{PATH}/labels", body)

    return Runner(RESUMED, "train", prepare, lambda _: ours.call("POST", f"{PATH}/resume"))


def labels(ours: Deployment) -> object:
    """What a person says of the samples of the next loop, once they are asked for."""
    wait_until(lambda: bool(ours.asked("bench")), 60, "a loop that asks for labels")
    return {"rows": [{"index": index, "label": index % 2} for index in ours.asked("bench")]}


def run_round(runners: list[Runner], marks: Marks, pids: list[int]) -> list[float]:
    """One job for each; milliseconds of each."""
    return [run_once(runner, marks, pids) for runner in runners]


def run_once(runner: Runner, marks: Marks, pids: list[int]) -> float:
    body = runner.prepare()
    wait_until_idle(pids)
    marks.forget()
    start_s = time.monotonic()
    runner.send(body)
    return (marks.wait_for(runner.word).began_s - start_s) * 1000


def figures(names: list[str], found: list[list[list[float]]]) -> list[Figure]:
    """Ours beside each peer: for each pass a median, and the 99th of a hundred of it."""
    medians = [by_runner(one_pass, statistics.median) for one_pass in found]
    worst = [by_runner(one_pass, p99) for one_pass in found]
    of = {name: tuple(one[at] for one in medians) for at, name in enumerate(names)}
    of_worst = {name: tuple(one[at] for one in worst) for at, name in enumerate(names)}
    peers = names[2:]
    what = "job available to first line of `train`"
    beside = [
        Figure(f"{what}, p50", "ms", of[RESUMED], name, of[name], most=TARGETS.get(name))
        for name in peers
    ]
    return [
        *(beside or [Figure(f"{what}, p50", "ms", of[RESUMED])]),
        figure(f"{what}, p99", of_worst, RESUMED, peers),
        figure("last label sent to first line of `train`, p50", of, LABELS, peers),
    ]


def figure(what: str, of: dict[str, tuple[float, ...]], ours: str, peers: list[str]) -> Figure:
    """Beside the first of the peers, when there are any."""
    beside = {"baseline": peers[0], "baseline_values": of[peers[0]]} if peers else {}
    return Figure(what, "ms", of[ours], **beside)


def by_runner(rounds: list[list[float]], take: Callable[[list[float]], float]) -> list[float]:
    return [take(list(times)) for times in zip(*rounds, strict=True)]


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[98]


if __name__ == "__main__":
    main()
