"""A learning curve in text: a metric over labels, the control's beside it."""

from collections.abc import Sequence
from itertools import pairwise

from rich.text import Text

from alectio_agent.cli.live.glyphs import Glyphs
from alectio_agent.cli.live.loops import shown_metrics
from alectio_agent.cli.live.rows import fit, join, plain
from alectio_agent.cli.live.scene import Scene
from alectio_agent.wire.operation import ExperimentView

Points = list[tuple[int, float]]

LEAST_ROWS, MOST_ROWS = 4, 12
"""Rows of a curve with its title and the axis of labels."""
LEAST_WIDTH, MOST_WIDTH = 28, 72
LABEL = 7
"""Columns of the numbers at the left."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the eight dots of a braille character, by row and column."""


def points_of(view: ExperimentView | None, name: str) -> Points:
    """Labels and a metric of each loop that has it.

    Args:
        view: An experiment; None has none.
        name: Of the metric.
    """
    loops = view.loops if view else []
    return [(loop.labels, loop.metrics[name]) for loop in loops
            if loop.metrics is not None and name in loop.metrics]  # fmt: skip


def has_curve(scene: Scene) -> bool:
    """Whether there is anything to draw: two loops with metrics.

    Args:
        scene: What there is.
    """
    names = shown_metrics(scene.view) if scene.view else []
    return bool(names) and len(points_of(scene.view, names[0])) > 1


def curve_rows(scene: Scene, width: int, most: int) -> list[Text]:
    """The curve, from its title to the axis of labels.

    Args:
        scene: With an experiment.
        width: Columns.
        most: Rows.

    Returns:
        Nothing when there are fewer than two loops with metrics, or no room.
    """
    if most < LEAST_ROWS or width < LEAST_WIDTH or not has_curve(scene):
        return []
    names = shown_metrics(scene.view) if scene.view else []
    main = points_of(scene.view, names[0])
    control = points_of(scene.control, names[0])
    width = min(width, MOST_WIDTH)
    canvas = _Canvas(main + control, width - LABEL - 1, min(most, MOST_ROWS) - 2, scene.glyphs)
    canvas.draw(control, is_control=True)
    canvas.draw(main)
    rows = [
        _title(names[0], has_control=bool(control), glyphs=scene.glyphs),
        *canvas.rows(),
        canvas.axis(),
    ]
    return [fit(row, width, scene.glyphs) for row in rows]


def _title(name: str, *, has_control: bool, glyphs: Glyphs) -> Text:
    title = join(" ", plain(name))
    if has_control:
        how = "dotted" if glyphs.has_braille else glyphs.control_mark
        title.append(f", control {how}")
    title.stylize("dim")
    return title


class _Canvas:
    """A field of characters that lines are drawn into, in dots of braille or in marks."""

    def __init__(self, points: Points, columns: int, rows: int, glyphs: Glyphs) -> None:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self._x, self._y = (min(xs), max(xs)), (min(ys), max(ys))
        self._columns, self._rows, self._glyphs = columns, rows, glyphs
        self._cells = [[" "] * columns for _ in range(rows)]
        self._is_control = [[False] * columns for _ in range(rows)]
        self._fine = (2, 4) if glyphs.has_braille else (1, 1)

    def draw(self, points: Sequence[tuple[int, float]], *, is_control: bool = False) -> None:
        """Draw straight lines between points; those of the control are dotted."""
        placed = [self._place(x, y) for x, y in points]
        for start, end in pairwise(placed):
            span = max(1, end[0] - start[0])
            for step in range(span + 1):
                x = start[0] + step
                if is_control and self._glyphs.has_braille and x % 3:
                    continue
                y = start[1] + (end[1] - start[1]) * step / span
                self._dot(x, round(y), is_control=is_control)

    def rows(self) -> list[Text]:
        """The field with the largest and the smallest value at its left."""
        drawn = []
        for number, cells in enumerate(self._cells):
            value = {0: self._y[1], self._rows - 1: self._y[0]}.get(number)
            row = Text("" if value is None else f"{value:.3f}", "dim").copy()
            row = join(" " * max(0, LABEL - row.cell_len), row, " ")
            for cell, is_control in zip(cells, self._is_control[number], strict=True):
                row.append(cell, "yellow" if is_control else "green")
            drawn.append(row)
        return drawn

    def axis(self) -> Text:
        """The fewest and the most labels, below the field."""
        least, most = (f"{x:,}" for x in self._x)
        gap = " " * max(1, self._columns - len(least) - len(most))
        return Text(" " * (LABEL + 1) + least + gap + most, "dim")

    def _place(self, x: int, y: float) -> tuple[int, int]:
        wide, high = self._columns * self._fine[0] - 1, self._rows * self._fine[1] - 1
        return (
            round(_share(x, self._x) * wide),
            round((1 - _share(y, self._y)) * high),
        )

    def _dot(self, x: int, y: int, *, is_control: bool) -> None:
        column, row = x // self._fine[0], y // self._fine[1]
        self._is_control[row][column] = is_control
        if not self._glyphs.has_braille:
            marks = self._glyphs
            self._cells[row][column] = marks.control_mark if is_control else marks.mark
            return
        was = self._cells[row][column]
        bits = 0 if was == " " else ord(was) - 0x2800
        self._cells[row][column] = chr(0x2800 + (bits | _DOTS[y % 4][x % 2]))


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return (value - low) / (high - low) if high > low else 0.5
