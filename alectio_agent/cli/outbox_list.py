"""`outbox list`."""

from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from datetime import datetime

    from alectio_agent.cli.outbox_view import OutboxEntry


@click.command("list")
@click.option("--all", "are_all", is_flag=True, help="Also results that were delivered.")
@common_options
def list_results(*, are_all: bool, common: Common) -> None:
    """List the results on disk that wait for delivery, and those that the platform refused.

    From the folder of the agent, which may run or not; nothing is changed. Results that were
    delivered stay for `outbox.keep_sent`: --all lists them too.
    """
    from alectio_agent.cli.outbox_view import OutboxView, read_outbox
    from alectio_agent.cli.screen import say
    from alectio_agent.cli.settings import load_to_look
    from alectio_agent.core.clock import SystemClock

    settings = load_to_look(common.config)
    found, problems = read_outbox(settings.agent.state_dir, are_all=are_all)
    if common.as_json:
        click.echo(OutboxView(results=found, problems=problems).model_dump_json(indent=2))
        return
    for problem in problems:
        say(problem)
    if not found:
        say(f"{settings.agent.state_dir}: nothing waits")
        return
    _print(found, SystemClock().now())
    if any(entry.state == "parked" for entry in found) and not common.is_quiet:
        say("Send what is parked once more: alectio-agent outbox retry")


def _print(found: "list[OutboxEntry]", now: "datetime") -> None:
    from alectio_agent.cli.plain_table import plain_output, plain_table
    from alectio_agent.core.log import printable
    from alectio_agent.core.units import format_size

    table = plain_table()
    for title in ("job", "step", "state", "size", "since", "age"):
        table.add_column(title, justify="right" if title == "size" else "left", overflow="fold")
    for entry in found:
        attempt = f" ({entry.attempt})" if entry.attempt > 1 else ""
        table.add_row(
            f"{entry.job}{attempt}", entry.step or "failure", entry.state,
            format_size(entry.size_bytes), *_times(entry, now),
        )  # fmt: skip
    plain_output().print(table)
    for entry in found:
        if entry.reason:
            click.echo(f"{entry.job} {entry.step or 'failure'}: {printable(entry.reason, 1000)}")


def _times(entry: "OutboxEntry", now: "datetime") -> tuple[str, str]:
    from datetime import datetime

    from alectio_agent.cli.live.words import spent

    if not entry.since:
        return "", ""
    then = datetime.fromisoformat(entry.since)
    age = spent(max(0.0, (now - then).total_seconds()))
    return then.astimezone().strftime("%Y-%m-%d %H:%M"), age
