"""What waiting costs: an agent with a warm hook process, its hub, and workers of RQ and Celery.

All wait at the same time. Wake-ups are voluntary context switches of all threads; memory is PSS,
pages that processes share counted in parts.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.processes import (
    family,
    fine_cpu_s,
    pause,
    pss_mb,
    wait_until,
    wait_until_idle,
    wakeups,
)

RUNS, SPAN_S = 3, 30.0
RESULTS_WORKER_S = 90
AGENT, HUB = "agent and warm hook process", "hub"
UNITS = ("%", "1/s", "MB")
WHAT = ("processor, of one core", "wake-ups", "memory (PSS)")
MOST = (0.05, 0.2, 60.0)


def main() -> None:
    runs, span_s = (1, 0.5) if is_quick() else (RUNS, SPAN_S)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        marks = Marks(folder)
        ours = stack.enter_context(deployed(folder / "ours", marks))
        agent = stack.enter_context(ours.agent())
        roots = {AGENT: agent.pid, HUB: ours.hub.pid}
        if not is_quick():
            roots |= start_peers(stack, folder, marks)
        warm_up(ours)
        wait_until_idle(roots.values())
        found = [measure(roots, span_s) for _ in range(runs)]
        publish("idle", figures(found))


def start_peers(stack: contextlib.ExitStack, folder: Path, marks: Marks) -> dict[str, int]:
    from benchmarks.peers.celery_worker import celery_peer
    from benchmarks.peers.redis_server import running_redis
    from benchmarks.peers.rq_worker import rq_peer

    url = stack.enter_context(running_redis(folder))
    started = {}
    for peer in (rq_peer(folder / "rq", marks, url), celery_peer(folder / "celery", marks, url)):
        started[peer.name] = stack.enter_context(peer.working()).pid
        peer.send()
        marks.wait_for("run")
    return started


def warm_up(ours: Deployment) -> None:
    """Run an experiment, and wait until the hub's worker for results has ended by itself."""
    ours.create("bench", 3)
    ours.wait_until_finished("bench")
    if not is_quick():
        wait_until(lambda: not makes_results(ours.hub.pid), RESULTS_WORKER_S, "an idle hub")


def makes_results(hub: int) -> bool:
    """Whether the hub's worker for results, which ends when it had no work for a minute, lives."""
    commands = (Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family([hub]))
    return any(b"alectio_agent.hub.results.worker" in command for command in commands)


def measure(roots: Mapping[str, int], span_s: float) -> dict[str, tuple[float, float, float]]:
    """Percent, wake-ups each second and megabytes of each."""
    pids = {who: family([root]) for who, root in roots.items()}
    before = {who: (fine_cpu_s(pids[who]), wakeups(pids[who])) for who in pids}
    pause(span_s)
    after = {who: (fine_cpu_s(pids[who]), wakeups(pids[who])) for who in pids}
    return {
        who: (
            (after[who][0] - before[who][0]) / span_s * 100,
            (after[who][1] - before[who][1]) / span_s,
            pss_mb(pids[who]),
        )
        for who in pids
    }


def figures(found: list[dict[str, tuple[float, float, float]]]) -> list[Figure]:
    """The agent beside each peer, its limits beside the first; then the hub."""
    peers = [who for who in found[0] if who not in (AGENT, HUB)]
    limits = {peer: MOST if peer == peers[0] else (None,) * 3 for peer in peers} or {"": MOST}
    made = [
        Figure(what, unit, values, peer, beside, ceiling=limits[peer][at])
        for peer in limits
        for at, (what, unit, values, beside) in enumerate(rows(found, AGENT, peer))
    ]
    return made + [Figure(what, unit, values) for what, unit, values, _ in rows(found, HUB, "")]


def rows(
    found: list[dict[str, tuple[float, float, float]]], who: str, peer: str
) -> Iterator[tuple[str, str, tuple[float, ...], tuple[float, ...]]]:
    for at, (what, unit) in enumerate(zip(WHAT, UNITS, strict=True)):
        beside = tuple(run[peer][at] for run in found) if peer else ()
        yield f"idle {who}: {what}", unit, tuple(run[who][at] for run in found), beside


if __name__ == "__main__":
    main()
