"""The newest warnings, at the end of the view: the newest one in full where there is room."""

from rich.text import Text

from alectio_agent.cli.experiment_table import warnings_of
from alectio_agent.cli.live.glyphs import Glyphs
from alectio_agent.cli.live.rows import MEASURE, fit, join, plain
from alectio_agent.cli.live.scene import Scene
from alectio_agent.core.errors import CODE_PATTERN

MOST_ROWS = 3
"""Of the newest warning; each of the others has one."""
COLOUR = "yellow"


def warnings(scene: Scene) -> list[Text]:
    """The warnings of all loops, each once, the newest last.

    Args:
        scene: What there is.
    """
    views = [view for view in (scene.view, scene.control) if view is not None]
    return [plain(line, COLOUR) for view in views for line in warnings_of(view)]


def rows_wanted(warned: list[Text], width: int) -> int:
    """How many rows all of them could use.

    Args:
        warned: The newest last.
        width: Columns.
    """
    return len(warned) - 1 + len(_in_rows(warned[-1], width, MOST_ROWS)) if warned else 0


def warning_rows(warned: list[Text], width: int, most: int, glyphs: Glyphs) -> list[Text]:
    """The newest warnings in the rows that there are.

    Args:
        warned: The newest last.
        width: Columns.
        most: Rows.
        glyphs: For the end of what is cut.
    """
    if not warned or most < 1:
        return []
    newest = _in_rows(warned[-1], width, min(most, MOST_ROWS))
    earlier = warned[:-1][max(0, len(warned) - 1 - most + len(newest)) :]
    return [_cut(row, width, glyphs) for row in (*earlier, *newest)]


def count_shown(warned: list[Text], width: int, most: int) -> int:
    """How many warnings the rows tell of.

    Args:
        warned: The newest last.
        width: Columns.
        most: Rows.
    """
    if not warned or most < 1:
        return 0
    newest = len(_in_rows(warned[-1], width, min(most, MOST_ROWS)))
    return min(len(warned), 1 + most - newest)


def _in_rows(warning: Text, width: int, most: int) -> list[Text]:
    """Folded; what does not go into the last row is in it all the same, to be cut."""
    if warning.cell_len <= width:
        return [warning]
    pieces = list(warning.wrap(MEASURE, max(10, width - 2)))
    for piece in pieces:
        piece.rstrip()
    rows = pieces[:most]
    if len(pieces) > most:
        rows[-1] = join(*pieces[most - 1 :], between=" ")
    return [rows[0], *(join("  ", row) for row in rows[1:])]


def _cut(row: Text, width: int, glyphs: Glyphs) -> Text:
    """Its code stays: `alectio-agent explain` says the rest."""
    cut, found = fit(row, width, glyphs), CODE_PATTERN.findall(row.plain)
    if not found or found[-1] in cut.plain:
        return cut
    code = Text(f" ({found[-1]})", COLOUR)
    room = width - code.cell_len
    return cut if room < len(glyphs.ellipsis) else join(fit(row, room, glyphs), code)
