"""The table of loops, the newest of them, in the columns that fit."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from alectio_agent.cli.experiment_table import METRICS
from alectio_agent.cli.live.rows import fit
from alectio_agent.cli.live.scene import Scene
from alectio_agent.cli.live.words import took
from alectio_agent.core.log import printable
from alectio_agent.wire.operation import ExperimentView, LoopView

GAP = "  "
CHOSEN = "chosen by"
SHORTEST_CHOSEN = 12
DISPENSABLE = ("train", "control")
"""Left out in this order when the columns do not fit; then all metrics but the first."""
MOST_SHOWN = 60
"""No terminal shows more; what is not shown must not cost."""
LONGEST = 60
"""Of a cell, in characters."""


def shown_metrics(view: ExperimentView) -> list[str]:
    """The metrics that have a column: the usual two, else the first two that there are.

    Args:
        view: With its loops.
    """
    known = dict.fromkeys(name for loop in view.loops for name in loop.metrics or {})
    usual = [name for name in METRICS if name in known]
    return usual or list(known)[:2]


@dataclass(frozen=True)
class Table:
    """The newest loops in cells.

    Attributes:
        columns: Cells by title, `chosen by` last.
        loops: How many loops there are, also those that are not shown.
    """

    columns: dict[str, list[str]]
    loops: int

    @classmethod
    def of(cls, scene: Scene) -> "Table":
        """Make the cells.

        Args:
            scene: Without an experiment there are none.
        """
        view = scene.view
        if view is None or not view.loops:
            return cls({}, 0)
        names, has_control = shown_metrics(view), scene.control is not None
        control = {loop.labels: loop for loop in scene.control.loops} if scene.control else {}
        titles = ["loop", "labels", *names, *(["control"] if has_control else []), "train", CHOSEN]
        rows = [titles]
        for loop in view.loops[-MOST_SHOWN:]:
            beside = control.get(loop.labels)
            cells = [str(loop.loop), f"{loop.labels:,}", *(_metric(loop, name) for name in names)]
            cells += [_metric(beside, names[0]) if beside and names else ""] if has_control else []
            rows.append([*cells, _seconds(loop), loop.chosen_by])
        cells_by_column = zip(*rows, strict=True)
        columns = {
            title: [printable(cell, LONGEST) for cell in cells]
            for title, cells in zip(titles, cells_by_column, strict=True)
        }
        return cls(columns, len(view.loops))

    @property
    def width(self) -> int:
        """Columns of a terminal that all of it takes."""
        return _needed(self.columns) + max(map(cell_len, self.columns.get(CHOSEN, [""])))

    def rows(self, scene: Scene, width: int, most: int) -> list[Text]:
        """The head and the newest loops.

        Args:
            scene: That it was made of.
            width: Columns of the terminal.
            most: Rows, the head among them.

        Returns:
            Nothing when there is no loop or no room for one.
        """
        if self.loops == 0 or most < 2:
            return []
        shown = self.loops if self.loops < most else most - 1
        has_dots = shown < self.loops and most > 3  # else a loop says more than their number
        shown = min(shown - has_dots, MOST_SHOWN)
        lines = [Text(line) for line in self._lines(width, shown)]
        lines[0].stylize("dim")
        if has_dots:
            told = f"   {scene.glyphs.ellipsis} {self.loops - shown} earlier"
            lines.insert(1, Text(told, "dim"))
        return [fit(line, width, scene.glyphs) for line in lines]

    def _lines(self, width: int, shown: int) -> list[str]:
        """The head, and so many of the newest loops."""
        columns = _fitting(self.columns, width)
        padded = []
        for title, cells in columns.items():
            kept = [cells[0], *cells[len(cells) - shown :]]
            wide = max(map(cell_len, cells))
            padded.append(kept if title == CHOSEN else [_right(cell, wide) for cell in kept])
        return [" " + GAP.join(line) for line in zip(*padded, strict=True)]


def _metric(loop: LoopView, name: str) -> str:
    value = (loop.metrics or {}).get(name)
    if value is None:
        return "..." if loop.metrics is None else ""
    return f"{value:.3f}"


def _seconds(loop: LoopView) -> str:
    seconds = loop.seconds.get("train")
    return "" if seconds is None else took(seconds)


def _fitting(columns: dict[str, list[str]], width: int) -> dict[str, list[str]]:
    fitting = dict(columns)
    metrics = [title for title in columns if title not in ("loop", "labels", CHOSEN, *DISPENSABLE)]
    for title in (*DISPENSABLE, *reversed(metrics[1:])):
        if _needed(fitting) <= width:
            break
        fitting.pop(title, None)
    if width - _needed(fitting) < SHORTEST_CHOSEN:
        fitting.pop(CHOSEN)
    return fitting


def _needed(columns: dict[str, list[str]]) -> int:
    """Columns of the terminal for all but `chosen by`, which takes what is left."""
    return 1 + sum(
        max(map(cell_len, cells)) + len(GAP) for title, cells in columns.items() if title != CHOSEN
    )


def _right(cell: str, width: int) -> str:
    return " " * (width - cell_len(cell)) + cell
