"""`resume`."""

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@common_options
def resume(*, common: Common) -> None:
    """End a pause: the agent asks for jobs again, at once."""
    from alectio_agent.agent.service.control.protocol import Request
    from alectio_agent.cli.paused import resting
    from alectio_agent.cli.steered import OFF, Target

    target = Target.of(common)
    with target.asked(Request(verb="resume")) as made:
        if made is not None:
            was_paused = made.answer["was_paused"] is not None
            target.print("asks for jobs again" if was_paused else "was not paused", made.answer)
            return
    with resting(target.folder) as pauses:
        before = pauses.end()
    said = "was not paused" if before is None else "the pause is over"
    target.print(f"{said}; {OFF}", {"paused": None}, is_running=False)
