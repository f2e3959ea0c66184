"""Calls per second with one worker that never runs out of work, and what each costs the worker.

Ours is one experiment of many loops, each of three calls: train, test, infer. Every result is
synced to the agent's disk and committed on the hub's; the next loop waits for all three and for
the hub's selection, so that this is not only the agent's speed: the wire has no queue of jobs of
one experiment that could be filled before. RQ and Celery find their queue filled, and keep what
the job returned in a Redis that writes nothing to disk.

The first calls do not count: they start processes. Processor time is that of the agent and its
hook process, and of the worker with its work horses; hub and Redis are not in it.
"""

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.peers.peer import Peer
from benchmarks.processes import cpu_s, wait_until_idle

PASSES, LOOPS, RQ_JOBS, SIMPLE_JOBS, CELERY_JOBS = 3, 100, 200, 500, 1000
STEPS = 3
WARM_UP = 6


@dataclass(frozen=True)
class Rate:
    """What a pass found.

    Attributes:
        per_s: Calls.
        cpu_ms: The worker's, for a call.
        other_cpu_ms: The hub's, for a call.
    """

    per_s: float
    cpu_ms: float
    other_cpu_ms: float = 0.0


def main() -> None:
    passes, loops = (1, 4) if is_quick() else (PASSES, LOOPS)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        marks = Marks(folder)
        ours = stack.enter_context(deployed(folder / "ours", marks))
        peers = [] if is_quick() else all_peers(stack, folder, marks)
        found: dict[str, list[Rate]] = {}
        for number in range(passes):
            rate = measure_ours(ours, marks, f"bench-{number}", loops)
            found.setdefault("ours", []).append(rate)
            for peer, jobs in peers:
                wait_until_idle([ours.hub.pid])
                found.setdefault(peer.name, []).append(measure_peer(peer, marks, jobs))
        publish("throughput", figures(found))


def all_peers(stack: contextlib.ExitStack, folder: Path, marks: Marks) -> list[tuple[Peer, int]]:
    from benchmarks.peers.celery_worker import celery_peer
    from benchmarks.peers.redis_server import running_redis
    from benchmarks.peers.rq_worker import SIMPLE, rq_peer

    url = stack.enter_context(running_redis(folder))
    return [
        (rq_peer(folder / "rq", marks, url), RQ_JOBS),
        (rq_peer(folder / "rq-simple", marks, url, SIMPLE), SIMPLE_JOBS),
        (celery_peer(folder / "celery", marks, url), CELERY_JOBS),
    ]


def measure_ours(ours: Deployment, marks: Marks, name: str, loops: int) -> Rate:
    with ours.agent() as agent:
        ours.create(name, loops)
        rate = measure(marks, (loops - 1) * STEPS, agent.pid, ours.hub.pid)  # the last: no infer
        ours.wait_until_finished(name)
    marks.forget()
    return rate


def measure_peer(peer: Peer, marks: Marks, jobs: int) -> Rate:
    for _ in range(jobs):
        peer.send()
    with peer.working() as worker:
        return measure(marks, jobs, worker.pid)


def measure(marks: Marks, calls: int, worker: int, other: int | None = None) -> Rate:
    """From the first call after some that warm up to the last one."""
    for _ in range(WARM_UP):
        marks.next()
    first = marks.next()
    before = cpu_s([worker]), cpu_s([other] if other else [])
    for _ in range(calls - WARM_UP - 2):
        marks.next()
    last = marks.next()
    after = cpu_s([worker]), cpu_s([other] if other else [])
    counted = calls - WARM_UP - 1
    used_ms = [
        (later - earlier) * 1000 / counted for earlier, later in zip(before, after, strict=True)
    ]
    return Rate(counted / (last.began_s - first.began_s), *used_ms)


def figures(found: dict[str, list[Rate]]) -> list[Figure]:
    ours, *names = found
    rates = {name: tuple(rate.per_s for rate in found[name]) for name in found}
    costs = {name: tuple(rate.cpu_ms for rate in found[name]) for name in found}
    hub = tuple(rate.other_cpu_ms for rate in found[ours])
    calls, cost = (
        "hook calls with durable results, one slot",
        "agent's processor time for a hook call",
    )
    if not names:
        return [Figure(calls, "calls/s", rates[ours]), Figure(cost, "ms", costs[ours])]
    rq, *others = names
    return [
        Figure(calls, "calls/s", rates[ours], rq, rates[rq], least=3.0),
        *(Figure(calls, "calls/s", rates[ours], name, rates[name]) for name in others),
        Figure(cost, "ms", costs[ours], rq, costs[rq], most=0.15),
        *(Figure(cost, "ms", costs[ours], name, costs[name]) for name in others),
        Figure("hub's processor time for a hook call", "ms", hub),
    ]


if __name__ == "__main__":
    main()
