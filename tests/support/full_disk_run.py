"""Runs the real command line on a small disk, and fills that when a durable boundary is reached.

Started as `full_disk_run.py DISK LOG WITH_RESERVE POINT=JOB ... -- run -c agent.yaml`: at each
POINT of its JOB the DISK is filled; it gets its room back once somebody has waited `MOST_WAITS`
times, or never where WITH_RESERVE is `never`. Where it is neither `yes`, `no` nor `never` it is the
one who must have waited.
"""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alectio_agent import agent as _agent  # noqa: F401 - the package is there
from alectio_agent.agent import loop
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs import disk_trouble
from alectio_agent.agent.jobs.disk_trouble import DiskTrouble
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.journal.reserve import Reserve
from tests.support.small_disks import empty_disk, fill_disk

POINTS = {
    "claim": (Journal, "put_claim"),
    "folder": (Outbox, "open_result"),
    "process": (HookSlot, "run"),
    "manifest": (Outbox, "complete"),
    "commit": (Journal, "put_commit"),
    "failure": (Journal, "put_failure"),
    "settle": (Journal, "settle"),
}
MOST_WAITS = 2


class Filler:
    """Fills once at each boundary, and tells who waited."""

    def __init__(self, disk: Path, told: Path, reserve: str) -> None:
        self._disk = disk
        self._told = told
        self._has_reserve = reserve == "yes"
        self._most_waits = MOST_WAITS if reserve in ("yes", "no") else math.inf
        self._awaited = reserve
        self._waits = 0
        self._done: set[str] = set()
        self._point = ""

    def at(self, point: str) -> None:
        if point in self._done:
            return
        self._done.add(point)
        self._point, self._waits = point, 0
        if not self._has_reserve:
            Reserve(self._disk).give()
        fill_disk(self._disk)

    def waited(self, who: str) -> None:
        self._waits += 1
        with self._told.open("a") as file:
            file.write(f"{self._point}: {who}\n")
        if self._waits >= self._most_waits or self._has_reserve or who == self._awaited:
            empty_disk(self._disk)


def arrange(point: str, job: str, filler: Filler) -> None:
    owner, name = POINTS[point]
    method = getattr(owner, name)

    def wrapped(self: Any, *args: Any, **options: Any) -> Any:
        if job in {found for each in args if (found := job_of(each))}:
            filler.at(f"{point} {job}")
        return method(self, *args, **options)

    setattr(owner, name, wrapped)


LEASES: dict[str, str] = {}


def job_of(argument: Any) -> str:
    """`experiment/loop step` of whatever a method was given."""
    if hasattr(argument, "lease") and hasattr(argument, "job"):
        LEASES[argument.lease] = argument.job
    if isinstance(argument, str):
        return LEASES.get(argument, "")
    return str(getattr(argument, "job", ""))


def watch(filler: Filler) -> None:
    met: Callable[..., float] = DiskTrouble.met

    def wrapped(self: DiskTrouble, who: str, error: Any, **options: Any) -> float:
        wait_s = met(self, who, error, **options)
        filler.waited(who)
        return wait_s

    reason = DiskTrouble.reason

    def asked(self: DiskTrouble) -> str:
        said = reason(self)
        if said:
            filler.waited("nobody asks for a job")
        return said

    DiskTrouble.met = wrapped  # type: ignore[method-assign]
    DiskTrouble.reason = asked  # type: ignore[method-assign]


def main() -> None:
    end = sys.argv.index("--")
    disk, told, has_reserve, *schedule = sys.argv[1:end]
    disk_trouble.AGAIN_S = loop.LOOK_AGAIN_S = 0.05
    filler = Filler(Path(disk), Path(told), has_reserve)
    watch(filler)
    for entry in schedule:
        point, _, job = entry.partition("=")
        arrange(point, job, filler)
    sys.argv[1:] = sys.argv[end + 1 :]
    from alectio_agent.cli.main import main as command

    command(prog_name="alectio-agent")


if __name__ == "__main__":
    main()
