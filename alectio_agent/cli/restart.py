"""`restart`."""

from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from alectio_agent.agent.service.control.client import Call
    from alectio_agent.cli.steered import Target


@click.command
@click.option("--now", is_flag=True, help="Cancel the running step instead of finishing it.")
@click.option("--wait", is_flag=True, help="Return when the agent works again.")
@common_options
def restart(*, now: bool, wait: bool, common: Common) -> None:
    """Let the agent finish the running step, leave, and start again with agent.yaml as it is now.

    The configuration is read first: one with problems changes nothing. The new start is the same
    process with the same command line; an update that was installed meanwhile is taken.
    """
    from alectio_agent.agent.service.control.protocol import Request
    from alectio_agent.cli.screen import say
    from alectio_agent.cli.steered import Target, waits_for

    target = Target.of(common)
    with target.asked(Request(verb="restart", now=now, wait=wait)) as made:
        if made is None:
            raise target.off()
        waiting = waits_for(made.answer)
        said = f"starts again {waiting}".strip()
        if not wait:
            target.print(said, made.answer)
            return
        if not common.is_quiet:
            say(f"{target.name}: {said}")
        _print_new(target, made)


def _print_new(target: "Target", made: "Call") -> None:
    from alectio_agent.agent.service.control.client import answer_after_restart
    from alectio_agent.core.clock import SystemClock

    answer = answer_after_restart(target.folder, made, SystemClock())
    target.print(f"works again, version {answer['version']}", answer)
