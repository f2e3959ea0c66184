"""`hub token list`."""

import sys
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
        _print(found.tokens)
    else:
        click.echo("No tokens yet. Make one: alectio-agent hub token create NAME", err=True)


def _print(tokens: "list[TokenView]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("name", "scope", "created", "expires", "last used", "revoked"):
        table.add_column(title, no_wrap=True)
    for token in tokens:
        moments = (token.created_at, token.expires_at, token.last_used_at, token.revoked_at)
        told = [_shown(moment) for moment in moments]
        expires = told[1] or "never"
        table.add_row(token.name, token.scope, told[0], expires, told[2] or "never", told[3])
    # A pipe has no width: lines are never cut there.
    width = None if sys.stdout.isatty() else 400
    Console(file=sys.stdout, highlight=False, markup=False, width=width).print(table)


def _shown(moment: str | None) -> str:
    """A moment to the minute, in UTC."""
    return "" if moment is None else f"{moment[:10]} {moment[11:16]}Z"
