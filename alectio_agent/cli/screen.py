"""What commands print: results on stdout, everything else on stderr; colours where they help."""

import os
import sys
from contextlib import suppress
from typing import TextIO

import click

from alectio_agent.cli.folding import fold_lines, width_of
from alectio_agent.core.errors import CODE_PATTERN, AlectioAgentError


def may_colour(stream: TextIO) -> bool:
    """Whether colours may be written: to a terminal, unless `NO_COLOR` or `TERM=dumb` says no.

    Args:
        stream: stdout or stderr.
    """
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(text: str) -> None:
    """Tell a person something beside the results; nobody, when the terminal has vanished.

    Args:
        text: One or more lines, which are folded on a terminal.
    """
    _say_as_is(fold_lines(text, width_of(sys.stderr)))


def tell(text: str) -> None:
    """Print a result for people.

    Args:
        text: One or more lines, which are folded on a terminal.
    """
    click.echo(fold_lines(text, width_of(sys.stdout)))


def say_error(error: AlectioAgentError) -> None:
    """Tell a person what went wrong, and where more is said about it.

    Args:
        error: With its code.
    """
    text = fold_lines(str(error), width_of(sys.stderr))
    if may_colour(sys.stderr):
        text = CODE_PATTERN.sub(lambda code: click.style(code[0], fg="red", bold=True), text)
    _say_as_is(f"{text}\nMore: alectio-agent explain {error.code}")


def _say_as_is(text: str) -> None:
    with suppress(OSError):
        click.echo(text, err=True)
