"""How soon all goes on after a kill and after an outage, and how soon an idle agent has stopped.

Against a hub that runs on this machine. After a kill: from the command to the first line of the
next job's first function, so the claim lies before it. After an outage: from the moment at which
the platform can be reached again until it has all results that were computed meanwhile. A stop:
from SIGTERM to the end of the process.
"""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.deployment import HOOKS, Deployment, deployed
from benchmarks.harness import Figure, is_quick, publish
from benchmarks.line import Line
from benchmarks.marks import Marks
from benchmarks.processes import end, pause, wait_until_idle

RUNS = 7
OUTAGE_S = 15.0
BACKOFF_CAP_S = 60.0
MOST_CLAIM_S, MOST_STOP_S = 2.0, 0.5
SLOW_TRAIN = HOOKS.replace('mark("train")', 'mark("train")\n    time.sleep(0.3)')


def main() -> None:
    runs = 1 if is_quick() else RUNS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        marks = Marks(folder)
        with deployed(folder / "ours", marks) as ours:
            killed = [after_kill(ours, marks, f"kill{number}") for number in range(runs)]
            stopped = [stop_idle(ours, marks, f"stop{number}") for number in range(runs)]
            outages = after_outages(ours, marks, runs)
        marks.close()
    publish("recovery", figures(killed, outages, stopped))


def figures(killed: list[float], outages: list[float], stopped: list[float]) -> list[Figure]:
    claim = "from the start after SIGKILL to the next job's first line"
    outage = f"from the end of an outage of {OUTAGE_S:g} s until all is delivered"
    return [
        Figure(claim, "s", tuple(killed), most=MOST_CLAIM_S),
        Figure(outage, "s", tuple(outages), most=BACKOFF_CAP_S),
        Figure("stop of an idle agent", "s", tuple(stopped), most=MOST_STOP_S),
    ]


def after_kill(ours: Deployment, marks: Marks, name: str) -> float:
    """Kill an agent that has nothing to do; seconds of the next one."""
    with mortal(ours) as agent:
        run_one(ours, marks, f"{name}-before")
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        ours.create(name, 1)
        wait_until_idle([ours.hub.pid])
        marks.forget()
        began_s = time.monotonic()
        with ours.agent():
            took_s = marks.wait_for("train").began_s - began_s
            ours.wait_until_finished(name)
    return took_s


def stop_idle(ours: Deployment, marks: Marks, name: str) -> float:
    """Seconds that an agent in a held poll takes to end."""
    with mortal(ours) as agent:
        run_one(ours, marks, name)
        wait_until_idle([agent.pid, ours.hub.pid])
        began_s = time.monotonic()
        agent.send_signal(signal.SIGTERM)
        agent.wait()
        return time.monotonic() - began_s


def after_outages(ours: Deployment, marks: Marks, runs: int) -> list[float]:
    """Cut the line while a step runs; seconds from its mending to the end of the experiment."""
    (ours.folder / "processes.py").write_text(marks.job + SLOW_TRAIN)
    line = Line(ours.url)
    settings = ours.folder / "agent.yaml"
    settings.write_text(settings.read_text().replace(ours.url, line.url))
    found = []
    with ours.agent():
        for number in range(runs):
            name = f"outage{number}"
            marks.forget()
            ours.create(name, 1)
            marks.wait_for("train")
            line.cut()
            pause(1.0 if is_quick() else OUTAGE_S)
            line.mend()
            began_s = time.monotonic()
            ours.wait_until_finished(name)
            found.append(time.monotonic() - began_s)
    line.cut()
    return found


@contextmanager
def mortal(ours: Deployment) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent that may end within the block."""
    with (ours.folder / "agent.log").open("ab") as said:
        process = subprocess.Popen(
            ours.agent_command, cwd=ours.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        yield process
    finally:
        end(process)


def run_one(ours: Deployment, marks: Marks, name: str) -> None:
    """A job, so that the agent is up and warm."""
    ours.create(name, 1)
    marks.wait_for("train")
    ours.wait_until_finished(name)


if __name__ == "__main__":
    main()
