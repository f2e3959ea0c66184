"""`experiment diff`."""

from typing import Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@click.argument("name")
@click.argument("loops", nargs=-1, metavar="A B")
@hub_options
def diff(*, name: str, loops: tuple[str, ...], common: Common, **where: Any) -> None:
    """Say what changed between the loops A and B of the experiment NAME."""
    import json

    from alectio_agent.cli.comparison import compare_loops
    from alectio_agent.cli.comparison_text import print_comparison

    before, after = _numbers(name, loops)
    with named_hub(common, needs="viewer", **where) as operator:
        document = operator.history(name)
    found = compare_loops(document, before, after)
    if common.as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_comparison(found)


def _numbers(name: str, loops: tuple[str, ...]) -> tuple[int, int]:
    """The two loops that are meant; whatever else was typed is told with what to type."""
    import re

    from alectio_agent.core.errors import UsageError
    from alectio_agent.wire.names import EXPERIMENT_PATTERN

    words = [name, *loops]
    bare, _, _ = name.partition("/")
    numbers = [found for word in words if (found := word.rpartition("/")[2]).isdecimal()]
    meant = " ".join(numbers) if len(numbers) == 2 else "0 1"
    usual = f"Type: alectio-agent experiment diff {bare} {meant}"
    if not re.fullmatch(EXPERIMENT_PATTERN, bare):
        raise UsageError(f"{name!r} is no name of an experiment", code="E-EXP-05")
    if any("/" in word for word in words):
        raise UsageError(
            f"{' '.join(words)!r}: expected a name and two numbers of loops", hint=usual
        )
    if len(loops) != 2 or not all(word.isascii() and word.isdecimal() for word in loops):
        told = " ".join(loops) or "nothing"
        raise UsageError(f"found {told!r}; expected two numbers of loops", hint=usual)
    before, after = (int(word[:9]) for word in loops)
    if before == after:
        raise UsageError(f"{name}/{before} against itself: expected two different loops")
    return before, after
