"""`enroll`."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.argument("url")
@click.argument("more", nargs=-1, metavar="")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Where the token goes; without: what agent.yaml says, else `token` beside it.",
)
@click.option("--force", is_flag=True, help="Write it though the platform does not answer.")
@common_options
def enroll(
    *, url: str, more: tuple[str, ...], token_file: Path | None, force: bool, common: Common
) -> None:
    """Give this agent its token for the platform at URL.

    Asks for the token on the terminal, without showing it, or reads it from a pipe. It is tried
    over the proxy and the CAs of agent.yaml first, and written only when the platform takes it as
    an agent's: a file for this user alone (0600), exchanged in one piece. A running agent
    uses it from its next call on, a service of systemd from its next start on.
    """
    from alectio_agent.cli.enrolment import Wanted, enrol, refuse_shown_token

    refuse_shown_token(url, more)
    enrol(common, Wanted(url, token_file, is_forced=force))
