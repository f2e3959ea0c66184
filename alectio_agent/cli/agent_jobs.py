"""The jobs of this agent, as `jobs` lists them."""

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import click

from alectio_agent.agent.journal.disk import is_at_work
from alectio_agent.agent.journal.history import JOURNAL, PastJob, past_jobs
from alectio_agent.cli.folding import fold_lines, width_of
from alectio_agent.cli.options import Common
from alectio_agent.cli.plain_table import plain_output, plain_table
from alectio_agent.cli.settings import load_to_look
from alectio_agent.cli.sight import check_sight, never_worked
from alectio_agent.core.log import printable

GO_ON = "alectio-agent run"
TRIED_AGAIN = ("timeout", "oom", "crash", "checkpoint", "interrupted")
"""Failures after which the platform gives the job out again by itself."""


@dataclass(frozen=True)
class Told:
    """A job in words.

    Attributes:
        state: Such as `failed` or `computed, waits for delivery`.
        problem: What went wrong; empty when nothing did.
        mend: What to type or do next; empty when nothing is to be done.
    """

    state: str
    problem: str = ""
    mend: str = ""


def list_agent_jobs(common: Common, number: int) -> None:
    """Print the newest jobs of the agent of a configuration.

    Args:
        common: The options of every command.
        number: How many at most.

    Raises:
        UsageError: No agent has worked there.
        ControlDeniedError: This user may not look.
    """
    settings = load_to_look(common.config)
    folder = settings.agent.state_dir
    check_sight(folder)
    if not (folder / JOURNAL).is_file():
        raise never_worked(folder, f"Start one: {GO_ON}")
    is_running = is_at_work(folder)
    shown = _newest_told(past_jobs(folder, number), is_running=is_running)
    if common.as_json:
        click.echo(json.dumps([_plain(job, told) for job, told in shown], indent=2))
    elif not shown:
        click.echo(f"{folder}: no job yet", err=True)
    else:
        _print(shown)


def _newest_told(jobs: list[PastJob], *, is_running: bool) -> list[tuple[PastJob, Told]]:
    """What goes on is said with the newest attempt at a job: the others are history."""
    newest = {job.job: job.attempt for job in sorted(jobs, key=lambda job: job.attempt)}
    told = [(job, tell(job, is_running=is_running)) for job in jobs]
    return [
        (job, said if job.attempt == newest[job.job] else replace(said, mend=""))
        for job, said in told
    ]


def tell(job: PastJob, *, is_running: bool) -> Told:
    """Say in words how a job stands.

    Args:
        job: From the journal.
        is_running: An agent works in the state folder now.

    Returns:
        The words.
    """
    if job.failure is not None:
        return _tell_failure(job, is_running=is_running)
    if job.outcome == "superseded":
        return Told("superseded", job.reason or "another attempt was counted")
    if job.outcome == "parked":
        return Told("parked", f"the platform refused the result: {job.reason}")
    if job.state == "closed":
        return Told("delivered")
    mend = "" if is_running else GO_ON
    if job.state == "computed":
        return Told("computed, waits for delivery", mend=mend)
    return Told("running") if is_running else Told("interrupted", mend=mend)


def _tell_failure(job: PastJob, *, is_running: bool) -> Told:
    assert job.failure is not None  # noqa: S101 - only tell() calls this, after looking
    kind, text = job.failure.failure_class, printable(job.failure.message.split("\n")[0], 2000)
    waits = "" if job.state == "closed" else ", waits for delivery"
    if kind == "cancelled":
        return Told(f"cancelled{waits}", text)
    if kind == "rejected":
        return Told(f"parked{waits}", text, f"alectio-agent experiment show {job.experiment}")
    if kind == "interrupted":
        return Told(f"handed back{waits}", text, "" if is_running else GO_ON)
    retry = f"alectio-agent experiment retry {job.experiment}"
    if kind in TRIED_AGAIN:
        tried = f"it is tried again by itself as often as `retries` says; after that: {retry}"
        return Told(f"failed{waits}", text, tried)
    return Told(f"failed{waits}", text, "" if retry in text else retry)


def _print(shown: list[tuple[PastJob, Told]]) -> None:
    table = plain_table()
    for title in ("job", "attempt", "state", "steps done", "claimed"):
        right = title == "attempt"
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for job, told in shown:
        table.add_row(
            job.job, str(job.attempt), told.state, _steps(job), _local_time(job.claimed_at)
        )
    plain_output().print(table)
    for job, told in shown:
        if told.problem:
            of = f" (attempt {job.attempt})" if job.attempt > 1 else ""
            _say(f"{job.job}{of}: {told.problem}")
        if told.mend:
            _say(f"{job.job} next: {told.mend}")


def _say(line: str) -> None:
    click.echo(fold_lines(line, width_of(sys.stdout)))


def _steps(job: PastJob) -> str:
    return ", ".join(job.done) or "none" if len(job.done) < len(job.steps) else "all"


def _local_time(claimed_at: str) -> str:
    return datetime.fromisoformat(claimed_at).astimezone().strftime("%Y-%m-%d %H:%M")


def _plain(job: PastJob, told: Told) -> dict[str, Any]:
    return {
        "job": job.job,
        "attempt": job.attempt,
        "state": told.state,
        "steps": list(job.steps),
        "done": list(job.done),
        "claimed_at": job.claimed_at,
        "problem": told.problem,
        "next": told.mend,
    }
