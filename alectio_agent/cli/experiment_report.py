"""`experiment report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, is_own_hub, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.agent.client.operation import OperationClient
    from alectio_agent.wire.operation import ExperimentView

FILE = "report.html"


@click.command
@experiment_name
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write it, instead of NAME-report.html; of a hub on this machine the path of its "
    "own file is printed unless this is given.",
)
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser.")
@hub_options
def report(
    *, name: str, output: Path | None, is_opened: bool, common: Common, **where: Any
) -> None:
    """Get the report of NAME: a page that needs no network."""
    import json

    from alectio_agent.cli.report_tools import (
        check_writable,
        known_experiment,
        show_page,
        write_page,
    )

    is_own = is_own_hub(common, **where)
    file = output or (None if is_own else Path(f"{name}-{FILE}"))
    if file is not None:
        check_writable(file)
    with named_hub(common, needs="viewer", **where) as operator:
        view = known_experiment(operator, name)
        own = Path(view.results) / FILE if is_own and view.results else None
        if file is None and own is not None and own.is_file():
            file = own
        else:
            file = file or own or Path(f"{name}-{FILE}")
            write_page(file, _made(operator, view, own))
    if common.as_json:
        click.echo(json.dumps({"name": name, "file": str(file)}, indent=2))
    else:
        click.echo(str(file))
    if is_opened:
        show_page(file)


def _made(operator: "OperationClient", view: "ExperimentView", own: Path | None) -> bytes:
    """The report that the hub has made; made here when it has none yet."""
    from alectio_agent.cli.report_tools import check_extra, told_by_hub
    from alectio_agent.core.errors import PlatformRejectedError

    if own is None or own.is_file():
        try:
            return operator.results_file(view.name, FILE)
        except PlatformRejectedError as error:
            if error.problem != "not-found":
                raise
    check_extra()
    from alectio_agent.report.page import render_page

    return render_page(told_by_hub(operator, view, has_siblings=True)).encode()
