"""`logs`: what the hooks printed, also while no agent runs."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from alectio_agent.cli.job_name import JobName, NamedJob
from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from alectio_agent.agent.journal.job_logs import JobLog
    from alectio_agent.core.clock import Clock

MOST_NAMED = 8
MOST_KNOWN = 1000
PRINTED_NOTHING = "its hooks printed nothing, or its log was removed by age or size (logging)"


class Follower(Protocol):
    """Shows what comes."""

    def step(self) -> float:
        """Show what is new; seconds to wait before the next turn."""

    def finish(self) -> None:
        """Show lines that were begun and not ended."""


@click.command
@click.argument("job", required=False, type=JobName())
@click.option("-f", "--follow", "is_following", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only so many of the last lines.")
@click.option("--attempt", type=click.IntRange(min=1), help="Of the loop; without: the newest.")
@click.option("--hub", metavar="URL", help="Read the copy that this hub has instead.")
@click.option(
    "--token-file",
    envvar="ALECTIO_HUB_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="File with a token for that hub.",
)
@common_options
def logs(
    *,
    job: NamedJob | None,
    is_following: bool,
    lines: int | None,
    attempt: int | None,
    hub: str | None,
    token_file: Path | None,
    common: Common,
) -> None:
    """Print what the hooks of JOB printed, such as digits/3, or digits for its newest loop.

    Without JOB the newest job's; then `--follow` goes on to the next job too. Control characters
    are escaped. With --json one object a line. With --hub what agents have sent to a hub; with a
    token for the platform of agent.yaml its copy is read when the file is not here.
    """
    if hub is not None:
        from alectio_agent.cli.hub_logs import show_hub_log

        show_hub_log(common, hub, token_file, job, attempt, lines, is_following=is_following)
        return
    from alectio_agent.agent.journal.job_logs import FOLDER, job_logs
    from alectio_agent.cli.log_follow import LogFollower, newest
    from alectio_agent.cli.settings import load_to_look
    from alectio_agent.config.settings import EMBEDDED
    from alectio_agent.core.clock import SystemClock

    settings = load_to_look(common.config)
    folder = settings.agent.state_dir / FOLDER
    if _is_closed(settings.agent.state_dir):
        from alectio_agent.cli.agent_log import show_agent_log

        show_agent_log(settings, common, job, attempt, lines, is_following=is_following)
        return

    def is_wanted(log: "JobLog") -> bool:
        return (
            (job is None or (log.experiment == job.experiment and job.loop in (None, log.loop)))
            and attempt in (None, log.attempt)
        )  # fmt: skip

    there = job_logs(folder)
    started = newest(folder, [log for log in there if is_wanted(log)], job)
    is_distant = settings.platform.url != EMBEDDED
    if started is None and job is not None and is_distant and token_file is not None:
        from alectio_agent.cli.hub_logs import show_hub_log

        show_hub_log(common, None, token_file, job, attempt, lines, is_following=is_following)
        return
    if started is None:
        if not is_following and _was_done_here(settings.agent.state_dir, job, attempt):
            click.echo(f"{job}: {PRINTED_NOTHING}", err=True)
            return
        _nothing(folder, job, attempt, there, is_following=is_following)
    show = _printer(folder, common)
    if is_following:
        follow(LogFollower(folder, is_wanted, show, started, lines), SystemClock())
    else:
        alone = LogFollower(folder, lambda log: log == started, show, started, lines)
        alone.step()
        alone.finish()


def _is_closed(folder: Path) -> bool:
    """Whether this user may not look into a state folder: then its agent may show a log."""
    return folder.is_dir() and not os.access(folder, os.R_OK)


def follow(follower: Follower, clock: "Clock", stop: "Event | None" = None) -> None:
    """Follow until Ctrl-C, which is the usual end and no failure.

    Args:
        follower: Shows what is new.
        clock: Waits between two looks.
        stop: Ends it as well.
    """
    from threading import Event

    stop = stop or Event()
    try:
        while not stop.is_set():
            clock.wait(stop, follower.step())
    except KeyboardInterrupt:
        click.echo(err=True)  # the terminal has written ^C
    follower.finish()


def _was_done_here(state_dir: Path, job: NamedJob | None, attempt: int | None) -> bool:
    """Whether a job is over, by the journal, as far as it goes back."""
    from alectio_agent.agent.journal.history import JOURNAL, past_jobs

    if job is None or not (state_dir / JOURNAL).is_file():
        return False
    return any(
        past.state == "closed"
        and str(job) in (past.experiment, past.job)
        and attempt in (None, past.attempt)
        for past in past_jobs(state_dir, MOST_KNOWN)
    )


def _nothing(
    folder: Path,
    job: NamedJob | None,
    attempt: int | None,
    there: "list[JobLog]",
    *,
    is_following: bool,
) -> None:
    """Say that there is nothing to print yet; that is an error unless it is waited for."""
    from alectio_agent.core.errors import UsageError

    what = f" of {job}" if job else ""
    which = f", attempt {attempt}" if attempt else ""
    found = list(dict.fromkeys(log.job for log in there))[-MOST_NAMED:]
    named = f"There are logs of: {', '.join(found)}" if found else "No job has run here yet."
    text = f"{folder}: no log{what}{which}"
    if not is_following:
        raise UsageError(text, hint=named, code="E-USE-02")
    click.echo(f"{text} yet: waiting for it. {named}", err=True)


def _printer(folder: Path, common: Common) -> "Callable[[JobLog, str], None]":
    from alectio_agent.cli.log_tail import shown_line

    shown: list[JobLog] = []

    def show(log: "JobLog", line: str) -> None:
        if common.as_json:
            told = {"job": log.job, "attempt": log.attempt, "line": line}
            click.echo(json.dumps(told))
            return
        if shown != [log]:
            shown[:] = [log]
            if not common.is_quiet:
                click.echo(f"{log.job}, attempt {log.attempt}: {folder / log.file_name}", err=True)
        click.echo(shown_line(line))

    return show
