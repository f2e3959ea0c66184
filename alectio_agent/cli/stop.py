"""`stop`."""

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.option("--now", is_flag=True, help="Cancel the running step instead of finishing it.")
@click.option("--wait", is_flag=True, help="Return when the agent's process has ended.")
@common_options
def stop(*, now: bool, wait: bool, common: Common) -> None:
    """Let the agent finish the running step, then leave.

    What is not done of its job goes back to the platform; nothing that was computed is lost. Asking
    again changes nothing. When no agent is running, that is said, and is no failure.
    """
    from alectio_agent.agent.service.control.protocol import Request
    from alectio_agent.cli.screen import say
    from alectio_agent.cli.steered import OFF, Target, waits_for

    target = Target.of(common)
    with target.asked(Request(verb="stop", now=now, wait=wait)) as made:
        if made is None:
            target.print(OFF, {}, is_running=False)
            return
        waiting = waits_for(made.answer)
        said = f"stops {waiting}" if waiting else "stops"
        other = "" if now or not waiting else "Not to wait for that: alectio-agent stop --now"
        if not wait:
            target.print(said, made.answer, other)
            return
        if not common.is_quiet:
            say("\n".join(filter(None, [f"{target.name}: {said}", other])))
        made.wait_for_exit()
        target.print("stopped", made.answer, is_running=False)
