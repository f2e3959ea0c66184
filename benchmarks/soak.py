"""Thousands of small jobs over a line with faults: memory, descriptors, threads, disk stay flat.

The agent and its hub are real processes; a proxy between them drops, cuts, swallows, repeats and
delays requests. Growth is the slope of a line through the second half of all looks, so that what is
filled once (caches, pools of memory) does not count.
"""

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.processes import pause, resident_mb, wait_until
from tests.support.faulty_proxy import Faults, FaultyProxy

JOBS, LOOPS, LOOK_EVERY = 10_000, 100, 250
SHARE = 0.05
"""Of all requests, held polls too, that meet a fault."""
MOST_MB = 1.0
"""For each 1,000 jobs."""
PATIENCE_S = 3600
SETTINGS = """
outbox: {keep_sent: 0s}
logging: {keep: 0s}
"""


@dataclass(frozen=True)
class Look:
    """One look at both halves, when no job was under way."""

    jobs: int
    agent_mb: float
    hub_mb: float
    agent_descriptors: int
    hub_descriptors: int
    agent_threads: int
    hub_threads: int
    state_mb: float


def main() -> None:
    jobs = 6 if is_quick() else _jobs()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        marks = Marks(folder)
        faults = Faults(random.Random(1), left=sys.maxsize, share=SHARE)
        proxy = FaultyProxy(faults)
        with deployed(folder / "ours", marks) as ours:
            port = proxy.aim(urlsplit(ours.url).port or 0)
            settings = ours.folder / "agent.yaml"
            through = f"http://127.0.0.1:{port}"
            settings.write_text(settings.read_text().replace(ours.url, through) + SETTINGS)
            with ours.agent() as agent:
                looks = list(soak(ours, marks, agent.pid, jobs))
        proxy.close()
        marks.close()
    print(f"faults: {dict(sorted(faults.done.items()))}")
    publish("soak", figures(looks, sum(faults.done.values())))


def soak(ours: Deployment, marks: Marks, agent: int, jobs: int) -> Iterator[Look]:
    """Experiments one after the other; a look after each few."""
    loops = 3 if is_quick() else min(LOOPS, LOOK_EVERY)
    done, looked = 0, 0
    number = 0
    while done < jobs:
        name = f"soak{number}"
        ours.create(name, loops)
        wait_until(lambda name=name: ours.state(name) == "finished", PATIENCE_S, name)
        marks.forget()
        done, number = done + loops, number + 1
        if done - looked >= LOOK_EVERY or is_quick() or done >= jobs:
            looked = done
            pause(1.0)
            look = look_at(ours, agent, done)
            print(json.dumps(look.__dict__), file=sys.stderr)
            yield look


def look_at(ours: Deployment, agent: int, jobs: int) -> Look:
    state = ours.folder / ".alectio"
    size = sum(file.stat().st_blocks * 512 for file in state.rglob("*") if file.is_file())
    return Look(
        jobs, resident_mb(agent), resident_mb(ours.hub.pid), *_descriptors(agent, ours.hub.pid),
        *_threads(agent, ours.hub.pid), size / 1e6,
    )  # fmt: skip


def figures(looks: Sequence[Look], faults: int) -> list[Figure]:
    half = looks[len(looks) // 2 :] if len(looks) > 3 else looks
    growing = [
        ("memory of the agent", "agent_mb"), ("memory of the hub", "hub_mb"),
        ("state folder of the agent", "state_mb"),
    ]  # fmt: skip
    flat = [
        ("descriptors of the agent", "agent_descriptors"),
        ("descriptors of the hub", "hub_descriptors"),
        ("threads of the agent", "agent_threads"), ("threads of the hub", "hub_threads"),
    ]  # fmt: skip
    return [
        Figure("jobs", "", (looks[-1].jobs,)),
        Figure("faults on the way", "", (faults,)),
        *(
            Figure(f"{what}: growth in 1,000 jobs", "MB", (slope(half, name) * 1000,), most=MOST_MB)
            for what, name in growing
        ),
        *(Figure(what, "MB", tuple(getattr(one, name) for one in half)) for what, name in growing),
        *(Figure(what, "", tuple(getattr(one, name) for one in half)) for what, name in flat),
    ]


def slope(looks: Sequence[Look], name: str) -> float:
    """Least squares; for each job."""
    xs, ys = [one.jobs for one in looks], [getattr(one, name) for one in looks]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    if spread == 0:
        return 0.0
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


def _descriptors(*pids: int) -> tuple[int, ...]:
    return tuple(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


def _threads(*pids: int) -> tuple[int, ...]:
    return tuple(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids)


def _jobs() -> int:
    return int(sys.argv[sys.argv.index("--jobs") + 1]) if "--jobs" in sys.argv else JOBS


if __name__ == "__main__":
    main()
