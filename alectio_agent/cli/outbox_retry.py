"""`outbox retry`."""

from typing import TYPE_CHECKING

import click

from alectio_agent.cli.job_name import JobName, NamedJob
from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@click.argument("job", required=False, type=JobName())
@common_options
def retry(*, job: NamedJob | None, common: Common) -> None:
    """Send what waits at once, and once more what the platform refused, or only of JOB.

    JOB is such as digits/3. What was refused goes under its old key: nothing counts twice. While
    no agent runs, its next start sends it.
    """
    from alectio_agent.agent.service.control.protocol import Request
    from alectio_agent.cli.steered import OFF, Target
    from alectio_agent.core.errors import UsageError

    if job is not None and job.loop is None:
        raise UsageError(f"found `{job}`, expected a job with its loop, such as {job}/3")
    name = None if job is None else str(job)
    target = Target.of(common)
    with target.asked(Request(verb="retry", job=name)) as made:
        if made is not None:
            said = _words(made.answer["retried"], name, "is tried now")
            target.print(said, made.answer)
            return
    count = _retry_at_rest(target.folder, name)
    said = f"{_words(count, name, 'goes with the next start')}; {OFF}"
    target.print(said, {"retried": count}, "Go on: alectio-agent run", is_running=False)


def _words(count: int, job: str | None, waiting: str) -> str:
    of = f" of {job}" if job else ""
    if count:
        return f"{count} refused {'result' if count == 1 else 'results'}{of} will be sent again"
    return f"nothing{of} was refused; what waits {waiting}"


def _retry_at_rest(folder: "Path", job: str | None) -> int:
    from alectio_agent.cli.resting_journal import resting_journal

    with resting_journal(folder) as journal:
        return journal.by_hand.retry(job)
