"""`status`."""

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C, as things change.")
@common_options
def status(*, watch: bool, common: Common) -> None:
    """Say how it stands with the agent: what it does, what waits, and what is wrong.

    Of an agent that does not run: since when, and what it holds; that is an answer too, and the
    exit code 0. Nothing is changed. With --watch a terminal is drawn anew; a pipe gets a line for
    each change, with --json an object for each.
    """
    from alectio_agent.cli.agent_status import find_status
    from alectio_agent.cli.settings import load_to_look
    from alectio_agent.core.clock import SystemClock

    settings = load_to_look(common.config)
    clock = SystemClock()
    if watch:
        from alectio_agent.cli.status_watch import watch_status

        watch_status(lambda: find_status(settings, clock), common, clock)
        return
    found = find_status(settings, clock)
    if common.as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    from alectio_agent.cli.status_text import status_rows, text_width

    for row in status_rows(found, clock.now(), text_width()):
        click.echo(row)
