"""From the command to the first line of the first function, with a job waiting.

Ours: a hub that runs with an experiment that was just created; `alectio-agent run` reads its
configuration, takes its lock, registers, claims, beats and starts a hook process, in which `train`
begins. RQ: a job in Redis; `rq worker` starts and forks. Celery and Flask would tell nothing: the
one is far slower to start, the other has no queue. The agent's folder is there from a run before,
and its package is compiled, as `pip install` leaves it.
"""

import compileall
import contextlib
import tempfile
import time
from pathlib import Path

import alectio_agent
from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.peers.peer import Peer
from benchmarks.processes import wait_until_idle

RUNS, WARM_UP = 7, 1
PACKAGE = Path(alectio_agent.__file__).parent


def main() -> None:
    runs = 1 if is_quick() else RUNS + WARM_UP
    compileall.compile_dir(PACKAGE, quiet=1)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        marks = Marks(folder)
        ours = stack.enter_context(deployed(folder / "ours", marks))
        with ours.agent():  # tells the hub what it offers, so that jobs can wait for it
            ours.create("known", 1)
            ours.wait_until_finished("known")
        peer = None if is_quick() else rq(stack, folder, marks)
        found, beside = [], []
        for number in range(runs):
            found.append(measure_ours(ours, marks, f"bench-{number}"))
            if peer is not None:
                beside.append(measure_peer(peer, marks))
        publish("startup", [figure(found, beside)])


def rq(stack: contextlib.ExitStack, folder: Path, marks: Marks) -> Peer:
    from benchmarks.peers.redis_server import running_redis
    from benchmarks.peers.rq_worker import rq_peer

    return rq_peer(folder / "rq", marks, stack.enter_context(running_redis(folder)))


def measure_ours(ours: Deployment, marks: Marks, name: str) -> float:
    ours.create(name, 1)
    wait_until_idle([ours.hub.pid])
    marks.forget()
    start_s = time.monotonic()
    with ours.agent():
        taken_s = marks.wait_for("train").began_s - start_s
        ours.wait_until_finished(name)
    wait_until_idle([ours.hub.pid])
    return taken_s


def measure_peer(peer: Peer, marks: Marks) -> float:
    peer.send()
    start_s = time.monotonic()
    with peer.working():
        return marks.wait_for("run").began_s - start_s


def figure(found: list[float], beside: list[float]) -> Figure:
    what = "command to first hook line, a job waiting"
    if not beside:
        return Figure(what, "s", tuple(found))
    seen, base = tuple(found[WARM_UP:]), tuple(beside[WARM_UP:])
    return Figure(what, "s", seen, "RQ, a fork per job", base, most=2.0)


if __name__ == "__main__":
    main()
