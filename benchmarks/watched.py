"""What it costs to be watched: metrics in a file, and somebody who asks for the state each second.

Two agents with a hub each run loops of hooks that do nothing, in turn: one is watched, one is not.
"""

import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.service.control.client import call
from alectio_agent.agent.service.control.protocol import Request
from alectio_agent.core.clock import SystemClock
from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.processes import cpu_s, wait_until_idle

PASSES, LOOPS = (1, 4) if is_quick() else (9, 150)
LOOK_S = 1.0
METRICS = "metrics: {textfile: metrics.prom}\n"


@dataclass(frozen=True)
class Pass:
    """What one experiment took.

    Attributes:
        loop_ms: Of a loop, from outside.
        cpu_ms: Processor time of the agent and its hook process for a loop.
    """

    loop_ms: float
    cpu_ms: float


def main() -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        marks = Marks(folder)
        plain, watched = (
            stack.enter_context(deployed(folder / kind, marks)) for kind in ("plain", "watched")
        )
        with (watched.folder / "agent.yaml").open("a") as file:
            file.write(METRICS)
        agents = {each.url: stack.enter_context(each.agent()).pid for each in (plain, watched)}
        hubs = [plain.hub.pid, watched.hub.pid]
        for each in (plain, watched):
            measure(each, agents[each.url], "warm-up")
        found: dict[str, list[Pass]] = {plain.url: [], watched.url: []}
        for number in range(PASSES):
            # Who comes second finds a warmer machine: in turn.
            for each in (plain, watched) if number % 2 else (watched, plain):
                wait_until_idle(hubs)
                with looking(watched.folder / ".alectio") if each is watched else nobody():
                    took = measure(each, agents[each.url], f"bench-{number}")
                found[each.url].append(took)
                marks.forget()
        marks.close()
        publish("watched", figures(found[watched.url], found[plain.url]))


def measure(ours: Deployment, agent: int, name: str) -> Pass:
    before_s, used_s = time.monotonic(), cpu_s([agent])
    ours.create(name, LOOPS)
    ours.wait_until_finished(name)
    took_s, used_s = time.monotonic() - before_s, cpu_s([agent]) - used_s
    return Pass(took_s * 1000 / LOOPS, used_s * 1000 / LOOPS)


@contextmanager
def looking(folder: Path) -> Iterator[None]:
    """As `status --watch` does."""
    over, clock = threading.Event(), SystemClock()

    def look() -> None:
        while not over.wait(LOOK_S):
            with call(folder, Request(verb="state"), clock):
                pass

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def nobody() -> Iterator[None]:
    yield


def figures(watched: list[Pass], plain: list[Pass]) -> list[Figure]:
    beside = "not watched"
    loops = [tuple(each.loop_ms for each in passes) for passes in (watched, plain)]
    used = [tuple(each.cpu_ms for each in passes) for passes in (watched, plain)]
    what = "one loop of hooks that do nothing, watched"
    return [
        Figure(what, "ms", loops[0], beside, loops[1], most=1.01),
        Figure(f"{what}: agent's and hook's processor", "ms", used[0], beside, used[1], most=1.01),
    ]


if __name__ == "__main__":
    main()
