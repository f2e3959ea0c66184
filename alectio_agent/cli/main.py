"""The root command, and how an error of ours ends the process."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from alectio_agent.cli.lazy import LazyGroup
from alectio_agent.core.errors import AlectioAgentError


class _Root(LazyGroup):
    """Prints errors of this package as messages; a traceback only with `--debug`."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """Run the command line and exit."""
        words = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in words
        try:
            return super().main([word for word in words if word != "--debug"], *rest, **options)
        except AlectioAgentError as error:
            if debug:
                raise
            click.echo(str(error), err=True)
            sys.exit(error.exit_code)


COMMANDS = {
    "run": ("alectio_agent.cli.run:run", "Run the agent (and, embedded, the whole experiment)."),
    "experiment": ("alectio_agent.cli.experiment:experiment", "Create, list, show experiments."),
    "hub": ("alectio_agent.cli.hub:hub", "Serve a platform of your own."),
    "version": ("alectio_agent.cli.version:version", "Print the version."),
}


@click.group(
    cls=_Root,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Run active-learning loops beside the data, without an inbound port."""
