"""`pause`."""

import click

from alectio_agent.cli.duration import Duration
from alectio_agent.cli.options import Common, common_options


@click.command
@click.option(
    "--for", "length_s", type=Duration(), metavar="TIME", help="End by itself: after 90m, 2h, 3d."
)
@click.option("--note", default="", metavar="TEXT", help="Why; it stays on this machine.")
@common_options
def pause(*, length_s: float | None, note: str, common: Common) -> None:
    """Let the agent take no new job, until `resume` or for a TIME.

    The job in hand goes on to its end; an idle hook process ends, which frees its GPU. A pause
    outlasts restarts and reboots. While no agent runs, its next start is paused.
    """
    from alectio_agent.agent.service.control.pauses import until_words
    from alectio_agent.agent.service.control.protocol import (
        MOST_NOTE_CHARS,
        MOST_PAUSE_S,
        Request,
    )
    from alectio_agent.cli.paused import resting
    from alectio_agent.cli.steered import OFF, Target, in_hand
    from alectio_agent.core.errors import UsageError

    if length_s is not None and length_s > MOST_PAUSE_S:
        raise UsageError("--for: expected at most 10y; without it a pause lasts until `resume`")
    if len(note) > MOST_NOTE_CHARS:
        raise UsageError(
            f"--note: found {len(note):,} characters, expected at most {MOST_NOTE_CHARS}"
        )
    target = Target.of(common)
    go_on = "Go on: alectio-agent resume"
    with target.asked(Request(verb="pause", for_s=length_s, note=note)) as made:
        if made is not None:
            told = made.answer["paused"]
            end = until_words(told["since"], told["until"])
            target.print(f"paused{end}{in_hand(made.answer)}", made.answer, go_on)
            return
    with resting(target.folder) as pauses:
        members = pauses.begin(length_s, note).members()
    until = until_words(members["since"], members["until"])
    said = f"paused{until}; {OFF}: its next start is paused"
    target.print(said, {"paused": members}, go_on, is_running=False)
