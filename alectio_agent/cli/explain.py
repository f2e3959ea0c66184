"""`explain`: what the code of a message means."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby

import click

from alectio_agent.cli.folding import entry, fold, page_width
from alectio_agent.cli.message_code import MessageCode
from alectio_agent.cli.options import Common, common_options
from alectio_agent.core.codes import Explanation, explanations


@click.command
@click.argument("code", required=False, type=MessageCode())
@common_options
def explain(*, code: str | None, common: Common) -> None:
    """Explain the CODE of a message, such as E-HOOK-04; without CODE, list them all.

    Works without a network. Capitals and dashes may be left out: `hook04`.
    """
    known = explanations()
    if common.as_json:
        shown = [asdict(each) for each in known.values()] if code is None else asdict(known[code])
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    elif code is None:
        click.echo(listing(known.values(), page_width()))
    else:
        click.echo(page(known[code], page_width()))


def page(explanation: Explanation, width: int) -> str:
    """One code with its explanation.

    Args:
        explanation: Of the code.
        width: Columns to fold at.
    """
    title = entry(explanation.code, explanation.title, width)
    return f"{title}\n\n{fold(explanation.text, width)}"


def listing(known: Iterable[Explanation], width: int) -> str:
    """All codes with their titles, by what they are about.

    Args:
        known: Sorted by code.
        width: Columns to fold at.
    """
    return "\n\n".join(
        "\n".join([family, *(entry(f"  {each.code}", each.title, width) for each in members)])
        for family, members in groupby(known, key=lambda each: each.family)
    )
