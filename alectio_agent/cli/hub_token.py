"""`hub token`."""

from typing import Any

import click

from alectio_agent.cli.duration import Duration
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.lazy import LazyGroup
from alectio_agent.cli.options import Common

COMMANDS = {
    "create": ("alectio_agent.cli.hub_token:create", "Make a token and print it."),
    "list": ("alectio_agent.cli.hub_token_list:list_tokens", "List all tokens."),
    "revoke": ("alectio_agent.cli.hub_token_revoke:revoke", "Let a token open nothing any more."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def token() -> None:
    """Make, list and revoke tokens of agents, operators and viewers."""


@click.command
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["agent", "operator", "viewer"]),
    default="agent",
    show_default=True,
    help="What it may do.",
)
@click.option("--expires", type=Duration(), help="Life, such as 90d; without: until revoked.")
@hub_options
def create(*, name: str, scope: str, expires: float | None, common: Common, **where: Any) -> None:
    """Make a token named NAME and print it on stdout. It is not shown again."""
    from pydantic import ValidationError

    from alectio_agent.wire.operation import TokenCreate

    try:
        request = TokenCreate.model_validate({"name": name, "scope": scope, "expires_s": expires})
    except ValidationError as error:
        raise click.BadParameter(
            f"found {name!r}, expected up to 64 letters, digits, dots, dashes or underlines, a "
            "letter or digit first",
            param_hint="NAME",
        ) from error
    with named_hub(common, **where) as operator:
        made = operator.create_token(request)
    until = f", until {made.expires_at}" if made.expires_at else ""
    click.echo(f"Token {made.name}, scope {made.scope}{until}; it is not shown again:", err=True)
    click.echo(made.model_dump_json(indent=2) if common.as_json else made.token)
