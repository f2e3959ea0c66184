"""Tables for people: columns without lines, folded on a terminal, whole in a pipe."""

import sys

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 400
"""A pipe has no width: nothing is cut or folded there before this."""


def plain_table() -> Table:
    """A table without lines, to be given columns and rows."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))


def plain_output() -> Console:
    """What prints tables and lines on stdout, as they are: no markup, no colours of its own."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(file=sys.stdout, highlight=False, markup=False, width=width)
