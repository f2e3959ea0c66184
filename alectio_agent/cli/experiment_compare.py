"""`experiment compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.experiment_name import ExperimentName
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.report.page import Told

SUFFIX = ".json"


class Comparable(ExperimentName):
    """The name of an experiment, or an `experiment.json` that was exported from any hub."""

    name = "name or file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Leave files as they are; refuse what can be no name."""
        return value if is_file(value) else super().convert(value, param, ctx)


def is_file(word: str) -> bool:
    """Whether a word names a file.

    Args:
        word: As it was typed.
    """
    return word.endswith(SUFFIX)


@click.command
@click.argument("names", nargs=-1, required=True, metavar="NAME...", type=Comparable())
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("comparison.html"),
    show_default=True,
    help="Where to write the page.",
)
@hub_options
def compare(*, names: tuple[str, ...], output: Path, common: Common, **where: Any) -> None:
    """Put several experiments, with their controls, into one page and one table.

    NAME is an experiment of the hub, or the path of an exported experiment.json, so that
    experiments of several hubs can be compared.
    """
    import json

    from alectio_agent.cli.report_tools import check_extra, check_writable, write_page
    from alectio_agent.core.errors import UsageError

    check_extra()
    from alectio_agent.cli.run_table import as_record, print_runs
    from alectio_agent.report.comparison import render_comparison
    from alectio_agent.report.runs import find_runs

    check_writable(output)
    told = _told(tuple(dict.fromkeys(names)), common, where)
    runs = find_runs(told)
    if len(runs) < 2:
        raise UsageError(
            f"found one experiment, {runs[0].label}, which has no control; expected two or more",
            hint="Those that there are: alectio-agent experiment list",
        )
    write_page(output, render_comparison(told).encode())
    if common.as_json:
        found = {"page": str(output), "experiments": as_record(runs)}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print_runs(runs)
        click.echo(f"page: {output}")


def _told(names: tuple[str, ...], common: Common, where: dict[str, Any]) -> "list[Told]":
    """Documents in the order of their names; a hub is asked only for those that are no files."""
    from alectio_agent.cli.exported import read_exported
    from alectio_agent.cli.report_tools import known_experiment, told_by_hub

    found = {name: read_exported(Path(name)) for name in names if is_file(name)}
    if len(found) < len(names):
        with named_hub(common, needs="viewer", **where) as operator:
            views = [known_experiment(operator, name) for name in names if name not in found]
            found |= {view.name: told_by_hub(operator, view) for view in views}
    return [found[name] for name in names]
