"""Runs the real command line, and kills a process for real when durable boundaries are reached.

Started as `killing_run.py TARGET MARKS POINT=JOB ... -- run -c agent.yaml`: TARGET (agent, child,
hub, group) dies at each POINT of its JOB; a file per point in MARKS makes it happen once.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox

POINTS = (
    "claim-answered",
    "journalled",
    "beat-accepted",
    "hook-running",
    "parts-written",
    "manifest-renamed",
    "posted",
    "acknowledged",
)
TARGETS = ("agent", "child", "hub", "group")


class Killer:
    """Kills once, at one boundary of one job."""

    def __init__(self, target: str, job: str, mark: Path, folder: Path) -> None:
        self._target = target
        self._job = job
        self._mark = mark
        self._folder = folder

    def at(self, job: str) -> None:
        if job != self._job or self._mark.exists():
            return
        self._mark.write_text(self._target)
        state = self._folder / ".alectio"
        if self._target in ("hub", "group"):
            kill(json.loads((state / "hub" / "hub.json").read_text())["pid"])
        if self._target in ("child", "group"):
            journal = Journal(state / "agent.db", None)  # type: ignore[arg-type]
            for group in journal.groups():
                kill(group.pgid)
        if self._target in ("agent", "group"):
            kill(os.getpid())


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wrap(
    owner: type, name: str, *, before: Callable[..., str] | None = None,
    after: Callable[..., str] | None = None, killer: Killer
) -> None:  # fmt: skip
    """Reach the boundary before or after a method; the functions name the job."""
    method = getattr(owner, name)

    def wrapped(self: Any, *args: Any, **options: Any) -> Any:
        if before is not None:
            killer.at(before(self, *args, **options))
        result = method(self, *args, **options)
        if after is not None:
            killer.at(after(self, *args, **options))
        return result

    setattr(owner, name, wrapped)


def arrange(point: str, killer: Killer) -> None:
    def of_claim(_self: Any, _boot: Any, _seq: Any, claim: Any, *_rest: Any) -> str:
        return str(claim.job)

    def of_manifest(_self: Any, manifest: Any, **_rest: Any) -> str:
        return f"{manifest.job} {manifest.step}"

    def of_message(_self: Any, message: Any) -> str:
        return f"{message.job} {message.step}"

    if point == "claim-answered":
        wrap(Journal, "put_claim", before=of_claim, killer=killer)
    elif point == "journalled":
        wrap(Journal, "put_claim", after=of_claim, killer=killer)
    elif point == "beat-accepted":
        wrap(Heartbeats, "first_beat", after=lambda _self, claim: claim.job, killer=killer)
    elif point == "hook-running":
        arrange_running(killer)
    elif point == "parts-written":
        wrap(Outbox, "complete", before=of_manifest, killer=killer)
    elif point == "manifest-renamed":
        wrap(Outbox, "complete", after=of_manifest, killer=killer)
    elif point == "posted":
        wrap(Journal, "settle", before=of_message, killer=killer)
    elif point == "acknowledged":
        wrap(Journal, "settle", after=of_message, killer=killer)
    else:
        raise SystemExit(f"unknown point {point}")


def arrange_running(killer: Killer) -> None:
    """A thread that kills while the hook of the job is inside `train`."""
    import threading

    run = HookSlot.run

    def wrapped(self: HookSlot, step_run: Any) -> Any:
        begun = Path(
            os.environ["BEGUN_FOLDER"], f"{step_run.experiment}-{step_run.loop}-{step_run.step}"
        )

        def watch() -> None:
            pause = threading.Event()
            while not begun.exists():
                pause.wait(0.005)
            killer.at(f"{step_run.job} {step_run.step}")

        threading.Thread(target=watch, daemon=True).start()
        return run(self, step_run)

    HookSlot.run = wrapped  # type: ignore[method-assign]


def main() -> None:
    end = sys.argv.index("--")
    target, marks, *schedule = sys.argv[1:end]
    folder = Path(sys.argv[sys.argv.index("-c") + 1]).parent
    for entry in schedule:
        point, _, job = entry.partition("=")
        arrange(point, Killer(target, job, Path(marks, point), folder))
    sys.argv[1:] = sys.argv[end + 1 :]
    from alectio_agent.cli.main import main as command

    command(prog_name="alectio-agent")


if __name__ == "__main__":
    main()
