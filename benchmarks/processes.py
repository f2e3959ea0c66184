"""Processes of a benchmark: started and ended, and what they use, read from /proc."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import is_quick

END_S = 20
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(
    command: Sequence[str], folder: Path, log: str, number: int = signal.SIGTERM
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is ended with the block.

    Args:
        command: What to start.
        folder: It works there.
        log: File in it with what it says.
        number: The signal that ends it.
    """
    with (folder / log).open("ab") as said:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        yield process
        if process.poll() is not None:
            said_last = (folder / log).read_text(errors="replace")[-2000:]
            raise SystemExit(f"{command} ended with {process.returncode}; it said:\n{said_last}")
    finally:
        end(process, number)


def end(process: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> None:
    """Ask a process to end; kill it when it does not."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of loopback at which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def listens(port: int) -> bool:
    """Whether somebody listens at this port of loopback."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    """Look again and again; the benchmark ends when it never is so."""
    ends_s = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends_s:
            raise SystemExit(f"waited {seconds:g} s in vain for {what}")
        pause(0.02)


def pause(seconds: float) -> None:
    """Let time pass."""
    threading.Event().wait(seconds)


def wait_until_idle(pids: Iterable[int], idle_s: float = 0.3, longest_s: float = 30.0) -> None:
    """Wait until these processes and their children did nothing worth a clock tick for a while."""
    roots = list(pids)
    ends_s = time.monotonic() + (0.0 if is_quick() else longest_s)
    before = cpu_s(roots)
    while time.monotonic() < ends_s:
        pause(idle_s)
        now = cpu_s(roots)
        if now - before <= 1.5 / TICKS:
            return
        before = now


def family(roots: Iterable[int]) -> list[int]:
    """These processes and all that descend from them, as far as they live."""
    found, queue = [], list(roots)
    while queue:
        pid = queue.pop()
        try:
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
            queue += [int(one) for task in tasks for one in (task / "children").read_text().split()]
        except OSError:
            continue
        found.append(pid)
    return found


def cpu_s(roots: Iterable[int]) -> float:
    """Processor time of these, of their living descendants, and of those that were waited for.

    Counted in clock ticks, a hundredth of a second: for spans that take many of them.
    """
    total = 0
    for pid in family(roots):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def fine_cpu_s(pids: Iterable[int]) -> float:
    """Processor time of just these processes, to the nanosecond; ended threads count too."""
    # Linux makes the number of a process's clock like this: clock_getcpuclockid(3).
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def wakeups(pids: Iterable[int]) -> int:
    """How often the threads of these processes went to sleep of their own accord."""
    files = (file for pid in pids for file in Path(f"/proc/{pid}/task").glob("*/status"))
    lines = (line for file in files for line in file.read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


def resident_mb(pid: int) -> float:
    """Resident memory of a process.

    What it shares counts whole: a part of that would change whenever another process ends.
    """
    return _rollup_kb(pid, "Rss:") / 1000


def pss_mb(pids: Iterable[int]) -> float:
    """Memory of these processes, that which is shared counted in parts."""
    return sum(_rollup_kb(pid, "Pss:") for pid in pids) / 1000


def _rollup_kb(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
