"""A comparison of two loops, as people read it: only what differs, and the names of the rest."""

from typing import Any

from rich.table import Table
from rich.text import Text

from alectio_agent.cli.plain_table import plain_output
from alectio_agent.core.log import printable
from alectio_agent.report.change_rows import LONGEST, Row, sample_rows, section_rows

MOST_ROWS = 12
"""Of one section; a model may have a thousand classes."""


def print_comparison(found: dict[str, Any]) -> None:
    """Print a comparison on stdout.

    Args:
        found: As `compare_loops` makes it.
    """
    out = plain_output()
    out.print(f"{found['experiment']}: loop {found['before']} against loop {found['after']}")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold", max_width=30)
    table.add_column(overflow="fold")
    _add(table, "samples", list(sample_rows(found["samples"])))
    for name, section in found["changed"].items():
        _add(table, name, list(section_rows(name, section)))
    out.print(table)
    if found["same"]:
        out.print(f"the same: {', '.join(found['same'])}")
    if found["unknown"]:
        out.print(f"not known of both: {', '.join(found['unknown'])}")


def _add(table: Table, title: str, rows: list[Row]) -> None:
    for at, (what, change) in enumerate(rows[:MOST_ROWS]):
        table.add_row(title if at == 0 else "", Text(printable(what, LONGEST)), Text(change))
    if len(rows) > MOST_ROWS:
        table.add_row("", "", f"and {len(rows) - MOST_ROWS} more; --json has all")
