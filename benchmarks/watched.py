"""What it costs to be watched: metrics in a file, and somebody who asks for the state each second.

An agent runs loops of hooks that do nothing, in pairs of passes: one is watched, one is not. It is
started anew for each pass, since two that live side by side differ by more than the hundredth that
is looked for. The standard error says what the pairs can show on this machine; what it costs in a
second, and what counting costs in a loop, are measured by themselves as well.
"""

import contextlib
import math
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.jobs.counters import DONE, Counters, StepMemory
from alectio_agent.agent.service.control.client import call
from alectio_agent.agent.service.control.protocol import Request
from alectio_agent.core.clock import SystemClock
from alectio_agent.wire.protocol import STEPS
from benchmarks.deployment import Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.marks import Marks
from benchmarks.processes import family, fine_cpu_s, pause, wait_until_idle

PAIRS, WARM_UP, LOOPS = (1, 2, 4) if is_quick() else (12, 10, 100)
IDLE_PAIRS, IDLE_S = (1, 0.5) if is_quick() else (3, 16.0)
"""Metrics are written every 15 s."""
SURE = 0.005
"""Twice that is the hundredth which is looked for."""
COUNTED = 10 if is_quick() else 2000
CALLS = 12
"""That an agent makes for a loop, at most: polls, parts, commits."""
LOOK_S = 1.0
METRICS = "metrics: {textfile: metrics.prom}\n"


@dataclass(frozen=True)
class Pass:
    """What one experiment took, and a second after it.

    Attributes:
        loop_ms: Of a loop, from outside.
        cpu_ms: Processor time of the agent and its hook process for a loop.
        idle: Part of a core that the agent took while it was idle; None where nobody looked.
    """

    loop_ms: float
    cpu_ms: float
    idle: float | None


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        marks = Marks(folder)
        with deployed(folder / "ours", marks) as ours:
            plain = (ours.folder / "agent.yaml").read_text()
            passes: dict[bool, list[Pass]] = {True: [], False: []}
            for number in range(PAIRS):
                # Who comes second finds a warmer machine: in turn.
                for is_watched in (number % 2 == 0, number % 2 == 1):
                    (ours.folder / "agent.yaml").write_text(plain + METRICS * is_watched)
                    passes[is_watched].append(measure(ours, marks, number, is_watched=is_watched))
                    marks.forget()
        marks.close()
    publish("watched", figures(passes[True], passes[False]))


def measure(ours: Deployment, marks: Marks, number: int, *, is_watched: bool) -> Pass:
    """One pass of an agent of its own, after some loops that do not count."""
    with contextlib.ExitStack() as stack:
        agent = stack.enter_context(ours.agent()).pid
        wait_until_idle([ours.hub.pid])
        name = f"bench-{number}-{is_watched}"
        ours.create(name, WARM_UP + LOOPS + 1)
        pass_loops(marks, WARM_UP)
        if is_watched:
            stack.enter_context(looking(ours.folder / ".alectio"))
        began_s = pass_loops(marks, 1)
        pids = family([agent])
        used_s = fine_cpu_s(pids)
        took_s = pass_loops(marks, LOOPS) - began_s
        used_s = fine_cpu_s(pids) - used_s
        ours.wait_until_finished(name)
        idle = idle_part(agent) if number < IDLE_PAIRS else None
    return Pass(took_s * 1000 / LOOPS, used_s * 1000 / LOOPS, idle)


def pass_loops(marks: Marks, count: int) -> float:
    """Wait until so many more loops have begun; when the last of them did."""
    return [marks.wait_for("train").began_s for _ in range(count)][-1]


def idle_part(agent: int) -> float:
    before_s = fine_cpu_s([agent])
    pause(IDLE_S)
    return (fine_cpu_s([agent]) - before_s) / IDLE_S


@contextmanager
def looking(folder: Path) -> Iterator[None]:
    """As `status --watch` does."""
    over, clock = threading.Event(), SystemClock()

    def look() -> None:
        while not over.wait(LOOK_S):
            with call(folder, Request(verb="state"), clock):
                pass

    with ThreadPoolExecutor(1) as thread:
        looks = thread.submit(look)
        try:
            yield
        finally:
            over.set()
        looks.result()  # nobody who looked in vain would have been a burden


def counting_ms() -> float:
    """Processor time that the counters of one loop take."""
    clock = SystemClock()
    counters, traffic, reach = Counters(), Traffic(clock), Reach(clock)
    before_s = time.thread_time()
    for _ in range(COUNTED):
        for step in STEPS:
            counters.steps.add(step)
            counters.step_s.add(step, 0.01)
            counters.memory["noop", step] = StepMemory(2**26, None)
            counters.results.add("delivered")
        counters.polls.add("job")
        counters.jobs.add(DONE)
        for _ in range(CALLS):
            traffic.note_answer(1000)
            reach.answered()
    return (time.thread_time() - before_s) * 1000 / COUNTED


def figures(watched: Sequence[Pass], plain: Sequence[Pass]) -> list[Figure]:
    what, beside = "one loop of hooks that do nothing, watched", "not watched"
    seconds = tuple(
        100 * (one.idle - other.idle)
        for one, other in zip(watched, plain, strict=True)
        if one.idle is not None and other.idle is not None
    )
    counted = tuple(100 * counting_ms() / each.cpu_ms for each in plain)
    in_loops = statistics.median(counted)
    both = tuple(second + in_loops for second in seconds)
    return [
        *compared(f"{what}: time", beside, time_of, watched, plain),
        *compared(f"{what}: processor", beside, cpu_of, watched, plain),
        Figure("metrics and looks, of a core", "%", seconds),
        Figure("what is counted in a loop, of its processor time", "%", counted),
        Figure("both together", "%", both, most=1),
    ]


def time_of(one: Pass) -> float:
    return one.loop_ms


def cpu_of(one: Pass) -> float:
    return one.cpu_ms


def compared(
    what: str, beside: str, of: Callable[[Pass], float], watched: Sequence[Pass],
    plain: Sequence[Pass],
) -> list[Figure]:  # fmt: skip
    """Both kinds of passes, their ratios pair by pair, and how sure the median of these is.

    Pairs on a busy machine may tell nothing of a hundredth: then they have no target to miss.
    """
    ours, theirs = tuple(map(of, watched)), tuple(map(of, plain))
    ratios = tuple(one / other for one, other in zip(ours, theirs, strict=True))
    error = error_of(ratios)
    most = 1.01 if error <= SURE else None
    return [
        Figure(what, "ms", ours, beside, theirs),
        Figure(f"{what}, pair by pair", "x", ratios, most=most),
        Figure("standard error of these pairs", "%", (100 * error,)),
    ]


def error_of(values: Sequence[float]) -> float:
    """The standard error of a median: 1.25 times that of a mean, as for a normal spread."""
    return 1.25 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
