"""`reload`."""

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@common_options
def reload(*, common: Common) -> None:
    """Let the agent read agent.yaml again, and say what is in force now and what needs a restart.

    `claim`, `outbox`, `notify` and `logging` change at once; a token that
    was mended is tried at once. A file with problems changes nothing. The signal HUP does the same,
    and the answer is in the agent's log.
    """
    from alectio_agent.agent.service.control.protocol import Request
    from alectio_agent.cli.steered import Target

    target = Target.of(common)
    with target.asked(Request(verb="reload")) as made:
        if made is None:
            raise target.off()
        answer = made.answer
    changed, waiting = ", ".join(answer["changed"]), ", ".join(answer["needs_restart"])
    said = f"{answer['file']} read again"
    said += f"; in force now: {changed}" if changed else ""
    said += f"; needs a restart: {waiting}" if waiting else ""
    go_on = "Go on: alectio-agent restart" if waiting else ""
    target.print(said if changed or waiting else f"{said}; nothing has changed", answer, go_on)
