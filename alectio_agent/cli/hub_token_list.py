"""`hub token list`."""

from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.wire.operation import TokenView


@click.command("list")
@hub_options
def list_tokens(*, common: Common, **where: Any) -> None:
    """List all tokens: name, scope, life, last use. The tokens themselves are not kept."""
    with named_hub(common, **where) as operator:
        found = operator.tokens()
    if common.as_json:
        click.echo(found.model_dump_json(indent=2))
    elif found.tokens:
        print_tokens(found.tokens)
    else:
        click.echo("No tokens yet. Make one: alectio-agent hub token create NAME", err=True)


def print_tokens(tokens: "list[TokenView]") -> None:
    """Print them for people.

    Args:
        tokens: In the order of the hub.
    """
    from alectio_agent.cli.plain_table import plain_output, plain_table

    table = plain_table()
    # Only a name may be longer than its room: it goes on below, and is never cut.
    table.add_column("name", overflow="fold")
    for title in ("scope", "created", "expires", "last used", "revoked"):
        table.add_column(title, no_wrap=True)
    for token in tokens:
        table.add_row(
            token.name,
            token.scope,
            _day(token.created_at),
            _day(token.expires_at) or "never",
            _minute(token.last_used_at) or "never",
            _day(token.revoked_at),
        )
    plain_output().print(table)


def _day(moment: str | None) -> str:
    """The day of a moment, in UTC: six columns fit a terminal so; --json has all of it."""
    return "" if moment is None else moment[:10]


def _minute(moment: str | None) -> str:
    return "" if moment is None else f"{moment[:10]} {moment[11:16]}Z"
