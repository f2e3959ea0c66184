"""A status in words: rows for people, and one line for a log."""

import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime

from alectio_agent.agent.service.control.pauses import GO_ON, until_words
from alectio_agent.agent.service.control.status import JobStatus, Status
from alectio_agent.cli.folding import glued, unglued, width_of
from alectio_agent.cli.live.words import roughly, spent
from alectio_agent.core.log import printable
from alectio_agent.core.units import count, format_size

LABEL = 14
"""Columns in front of what is said."""
WIDEST, UNFOLDED = 100, 10_000
ENDS = {
    "stopped": "does not run; stopped in order",
    "killed": "does not run; it was not stopped in order (a crash, a kill, a power cut)",
    "unknown": "does not run",
}


def text_width() -> int:
    """Columns for rows on stdout; a pipe's are for programs and are never folded."""
    width = width_of(sys.stdout)
    return UNFOLDED if width is None else min(WIDEST, width)


def status_rows(found: Status, now: datetime, width: int) -> list[str]:
    """Everything, for people.

    Args:
        found: The status.
        now: The time.
        width: Columns.
    """
    rows = textwrap.wrap(f"{found.name}: {_state(found, now)}", width, subsequent_indent="  ")
    for label, said in _said(found, now):
        folded = textwrap.wrap(
            glued(printable(said, 2000), width - LABEL), width,
            initial_indent=f"  {label:{LABEL - 2}}", subsequent_indent=" " * LABEL,
            break_on_hyphens=False,
        )  # fmt: skip
        rows += [unglued(row) for row in folded]
    return rows


def status_line(found: Status) -> str:
    """What counts as a change, in one line; times that only pass are not in it.

    Args:
        found: The status.
    """
    between = "between two steps" if found.is_running else "was begun"
    jobs = [f"{job.job} {job.step or between}" for job in found.jobs]
    parts = [found.state if found.is_running or found.state != "unknown" else "not running", *jobs]
    parts.append(_outbox(found))
    if found.platform.silent_since is not None:
        parts.append("platform unreachable")
    if found.paused is not None:
        parts.append("paused")
    parts += [said for said in (found.held_back, found.trouble) if said]
    parts += [f"{name}: {why}" for name, why in found.failing.items()]
    parts += found.problems
    if found.needs_restart:
        parts.append(_newer(found))
    return printable(f"{found.name}: {'; '.join(parts)}", 2000)


def _state(found: Status, now: datetime) -> str:
    if found.is_running and found.state != "unknown":
        return f"{found.state}{_since(found.since, now)}"
    if found.is_running:
        return found.trouble
    said = ENDS.get(found.state, found.state)
    if found.since is None:
        return said
    if found.state == "stopped":
        return f"{said}{_since(found.since, now)}"
    return f"{said}; last sign of life {_moment(found.since)} ({_ago(found.since, now)} ago)"


def _said(found: Status, now: datetime) -> Iterator[tuple[str, str]]:
    yield "version", _version(found)
    yield "platform", _platform(found, now)
    yield from _slots(found)
    yield "outbox", _outbox(found, with_mend=True)
    held = [
        f"{count(number, 'checkpoint')} of {experiment}"
        for pipeline in found.checkpoints
        for experiment, number in pipeline.held.items()
    ]
    yield "checkpoints", ", ".join(held) or "none"
    disks = [f"{_free(disk.free_bytes)} ({disk.folder})" for disk in found.disks]
    yield "disk", ", ".join(disks) or f"{found.folder} is not there"
    yield from _wrong(found)


def _wrong(found: Status) -> Iterator[tuple[str, str]]:
    """What is not as usual."""
    pause = found.paused
    if pause is not None:
        since = f"since {_moment(pause.since)}{until_words(pause.since, pause.until)}"
        note = f" ({pause.note})" if pause.note else ""
        yield "paused", f"{since}{note}. Go on: {GO_ON}"
    elif found.held_back:
        yield "held back", found.held_back
    if found.trouble and found.state != "unknown" and not _is_told(found, found.trouble):
        yield "trouble", found.trouble
    for name, why in found.failing.items():
        if not _is_told(found, why):
            yield "failing", f"{name}: {why}"
    for problem in found.problems:
        yield "problem", problem
    if found.needs_restart:
        yield "next", f"alectio-agent restart: {_newer(found)}"
    elif not found.is_running:
        yield "next", "alectio-agent run, or start its service"


def _is_told(found: Status, why: str) -> bool:
    """Whether the row of the platform says it already: in an outage all that fails fails alike."""
    platform = found.platform
    return bool(platform.silent_since and platform.last_error and platform.last_error in why)


def _version(found: Status) -> str:
    parts = [f"{found.version} runs" if found.version else f"{found.installed} is installed"]
    if found.pid is not None:
        parts.append(f"process {found.pid}")
    if found.boot is not None:
        started = f", {_moment(found.started_at)}" if found.started_at else ""
        parts.append(f"start number {found.boot}{started}")
    return "; ".join(parts)


def _newer(found: Status) -> str:
    return f"version {found.installed} is installed, {found.version} runs"


def _platform(found: Status, now: datetime) -> str:
    platform = found.platform
    parts = ["the hub in the box" if platform.url == "embedded" else platform.url]
    if platform.silent_since is not None:
        silent = _ago(platform.silent_since, now)
        parts.append(f"no answer for {silent}: {platform.last_error}")
    elif platform.last_at is not None:
        parts.append(f"contact {_ago(platform.last_at, now)} ago")
    elif found.is_running:
        parts.append("no contact yet")
    if platform.silent_since is None and platform.last_error and platform.last_error_at:
        parts.append(f"last error {_moment(platform.last_error_at)}: {platform.last_error}")
    return "; ".join(parts)


def _slots(found: Status) -> Iterator[tuple[str, str]]:
    if not found.is_running or found.state == "unknown":
        for job in found.jobs:
            done = ", ".join(job.steps_done) or "nothing"
            yield "job", f"{job.job}, attempt {job.attempt}: {done} done; the next start goes on"
        return
    at_work = {job.slot: job for job in found.jobs}
    for slot in range(found.slots):
        yield f"slot {slot}", _job(at_work[slot]) if slot in at_work else "free"


def _job(job: JobStatus) -> str:
    loops = "" if job.loops is None else f" of {job.loops}"
    parts = [f"{job.job}{loops}{f', attempt {job.attempt}' if job.attempt > 1 else ''}"]
    parts.append(job.step or "between two steps")
    if job.step and job.done is not None:
        share = f" ({job.done / job.total:.0%})" if job.total else ""
        of = f" of {job.total:g}" if job.total is not None else ""
        parts.append(f"{job.done:g}{of}{share}")
    parts += [f"{name} {value:.4g}" for name, value in job.numbers.items()]
    if job.left_s is not None:
        parts.append(f"about {roughly(job.left_s)} left")
    return ", ".join(parts)


def _outbox(found: Status, *, with_mend: bool = False) -> str:
    box = found.outbox
    parts = []
    if box.pending:
        verb = "waits" if box.pending == 1 else "wait"
        parts.append(f"{count(box.pending, 'result')} {verb} ({format_size(box.pending_bytes)})")
    if box.parked:
        mend = ": alectio-agent outbox list" if with_mend else ""
        parts.append(f"{box.parked} refused ({format_size(box.parked_bytes)}){mend}")
    return "; ".join(parts) or ("empty" if with_mend else "outbox empty")


def _free(free_bytes: int | None) -> str:
    return "unknown" if free_bytes is None else f"{format_size(free_bytes)} free"


def _since(then: str | None, now: datetime) -> str:
    return "" if then is None else f" since {_moment(then)} ({_ago(then, now)})"


def _moment(then: str) -> str:
    return datetime.fromisoformat(then).astimezone().strftime("%Y-%m-%d %H:%M")


def _ago(then: str, now: datetime) -> str:
    return spent(max(0.0, (now - datetime.fromisoformat(then)).total_seconds()))
