"""The last selection: scores of the pool, where the batch was cut off, and why each was chosen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from alectio_agent.report.figures import Figure, colour, hatched
from alectio_agent.report.reading import (
    Document,
    Loop,
    class_name,
    class_names,
    count_of,
    entries,
    finite,
    loops_of,
    member,
    number_of,
)
from alectio_agent.report.table import Table
from alectio_agent.report.words import FIGURE_LETTERS, UNKNOWN, count, drawn, name, number, percent

MOST_CHOSEN = 50
MOST_NEAR = 20
GAPS = ("margin", "diverse_margin")
"""Strategies whose score is one minus the gap between the two likeliest classes."""
NO_SCORE = Markup("none")


@dataclass(frozen=True)
class Choice:
    """A batch that was chosen.

    Attributes:
        loop: Number of the loop it was chosen for.
        chosen_by: Shares of the strategies.
        batch: How many samples it has.
        pool: From how many it was chosen; None when that is not known.
        parts: How many each part of the strategy chose, largest first.
        equal_rows: Samples passed over since they equal one that was chosen; None: not known.
        overlap: Share of the batch that the parts agree on; None: not known.
        passes_over: Whether samples above the cut were left out for being like a chosen one.
        histogram: Scores of the pool with the cut; None without scores.
        numbers: Those of the histogram.
        chosen: Those with the highest scores, and why.
        near: Those that were just not chosen; None when there are none.
    """

    loop: int
    chosen_by: str
    batch: int
    pool: int | None
    parts: Sequence[tuple[str, int]]
    equal_rows: int | None
    overlap: str
    passes_over: bool
    histogram: Figure | None
    numbers: Table | None
    chosen: Table
    near: Table | None


def find_choice(document: Document) -> Choice | None:
    """The last selection, of a loop that runs or is done.

    Args:
        document: Of the experiment.

    Returns:
        None before anything was chosen.
    """
    chosen = [loop for loop in loops_of(document) if entries(loop.get("selected"))]
    if not chosen:
        return None
    loop = chosen[-1]
    told = member(loop, "selection")
    names = class_names(document)
    overlap = finite(member(told, "overlap"))
    histogram = _Histogram.read(member(told, "histogram"))
    equal_rows = count_of(member(told, "equal_rows"))
    return Choice(
        loop=number_of(loop),
        chosen_by=str(loop.get("chosen_by") or ""),
        batch=len(loop["selected"]),
        pool=count_of(member(told, "pool")),
        parts=Counter(str(reason) for reason in entries(member(told, "reasons"))).most_common(),
        equal_rows=equal_rows,
        overlap="" if overlap is None else percent(overlap),
        passes_over=bool(equal_rows) or _is_diverse(member(told, "histogram", "strategy")),
        histogram=histogram.figure() if histogram else None,
        numbers=histogram.table() if histogram else None,
        chosen=_chosen(loop, names),
        near=_near(loop, names),
    )


def _is_diverse(strategy: Any) -> bool:
    """Whether a strategy spreads its batch, so that it does not take the highest scores alone."""
    return str(strategy).startswith("diverse_")


def why(reason: Any, score: Any, between: Any, names: Sequence[str]) -> Markup:
    """Why a sample was chosen.

    Args:
        reason: Name of the strategy.
        score: By which it was chosen; None for chance.
        between: The two likeliest classes; None when they are not known.
        names: Of the classes.

    Returns:
        HTML such as `margin 0.02 between billing and refund`.
    """
    told = name(reason) if reason else Markup("score")
    found = finite(score)
    if found is None:
        return told
    if reason in GAPS:
        prefix = Markup("") if reason == "margin" else Markup("{}: ").format(told)
        told, found = prefix + Markup("margin"), 1 - found
    said = Markup("{} {}").format(told, number(found, 2 if found >= 0.01 or found == 0 else 4))
    pair = [class_name(names, column) for column in entries(between)]
    if len(pair) != 2 or None in pair:
        return said
    return Markup("{} between {} and {}").format(said, *(name(each, 30) for each in pair))


@dataclass(frozen=True)
class _Histogram:
    """Scores of the pool in bins of equal width."""

    measure: str
    edges: Sequence[float]
    counts: Sequence[int]
    chosen: Sequence[int]
    cut: float | None

    @classmethod
    def read(cls, told: Any) -> "_Histogram | None":
        edges = [edge for value in entries(member(told, "edges"))
                 if (edge := finite(value)) is not None]  # fmt: skip
        counts = [count_of(value) or 0 for value in entries(member(told, "counts"))]
        if not counts or len(edges) != len(counts) + 1:
            return None
        chosen = [count_of(value) or 0 for value in entries(member(told, "chosen"))]
        chosen = (chosen + [0] * len(counts))[: len(counts)]
        measure = member(told, "measure") or member(told, "strategy") or "score"
        return cls(str(measure), edges, counts, chosen, finite(member(told, "cut")))

    def figure(self) -> Figure:
        middles = [round((low + high) / 2, 6) for low, high in self._bins()]
        width = [high - low for low, high in self._bins()]
        left = [all_ - chosen for all_, chosen in zip(self.counts, self.chosen, strict=True)]
        said = "%{y:,} samples<br>score about %{x:.3f}"
        bars: list[dict[str, Any]] = [
            {"type": "bar", "name": "chosen", "x": middles, "y": list(self.chosen), "width": width,
             "marker": {"color": colour(1), "pattern": hatched("/")},
             "hovertemplate": f"{said}<extra>chosen</extra>"},
            {"type": "bar", "name": "not chosen", "x": middles, "y": left, "width": width,
             "marker": {"color": colour(0)},
             "hovertemplate": f"{said}<extra>not chosen</extra>"},
        ]  # fmt: skip
        layout: dict[str, Any] = {
            "barmode": "stack",
            "xaxis": {"title": {"text": self._axis()}},
            "yaxis": {"title": {"text": "samples of the pool"}, "rangemode": "tozero"},
        }
        if self.cut is not None:
            line = {"color": "var(--ink)", "dash": "dash", "width": 2}
            layout["shapes"] = [{"type": "line", "x0": self.cut, "x1": self.cut, "yref": "paper",
                                 "y0": 0, "y1": 1, "line": line}]  # fmt: skip
            # At the right, where the legend above the figure does not lie.
            layout["annotations"] = [
                {"x": self.cut, "y": 1, "yref": "paper", "xanchor": "right", "yanchor": "top",
                 "text": f"cut {self.cut:.3g}", "showarrow": False},
            ]  # fmt: skip
        label = "Scores of the pool, those chosen apart; the numbers stand below"
        return Figure(bars, layout, label)

    def _axis(self) -> str:
        """What is drawn: the table's margins are small where these scores are large."""
        if self.measure in GAPS:
            return "1 \N{MINUS SIGN} margin (higher: less sure)"
        return f"score ({drawn(self.measure, FIGURE_LETTERS)})"

    def table(self) -> Table:
        rows = [
            [f"{low:.3g} to {high:.3g}", count(all_), count(chosen)]
            for (low, high), all_, chosen in zip(
                self._bins(), self.counts, self.chosen, strict=True
            )
        ]
        return Table("Scores of the pool", ["score", "samples", "chosen"], rows)

    def _bins(self) -> list[tuple[float, float]]:
        return list(zip(self.edges, self.edges[1:], strict=False))


def _chosen(loop: Loop, names: Sequence[str]) -> Table:
    """Largest scores first, as strategies do; what chance chose comes last."""
    told, size = member(loop, "selection"), len(loop["selected"])
    scores = _filled(member(told, "scores"), size)
    reasons = _filled(member(told, "reasons"), size)
    between = _filled(member(told, "between"), size)
    called, labels = _filled(loop.get("names"), size), _filled(loop.get("batch_labels"), size)

    def order(at: int) -> tuple[bool, float]:
        score = finite(scores[at])
        return score is None, -(score or 0.0)

    best = sorted(range(size), key=order)[:MOST_CHOSEN]
    rows = [
        [
            count(loop["selected"][at]),
            _score(scores[at]),
            _called(called[at]),
            _said(why(reasons[at], scores[at], between[at], names)),
            _label(labels[at], names),
        ]
        for at in best
    ]
    more = f"{size - len(best):,} more are in selected.csv." if size > len(best) else ""
    return _without_unknown(
        Table("Chosen", ["sample", "score", "name", "why", "label"], rows, more)
    )


def _near(loop: Loop, names: Sequence[str]) -> Table | None:
    told = member(loop, "selection")
    strategy = member(told, "histogram", "strategy")
    missed = [each for each in entries(member(told, "near_misses")) if isinstance(each, dict)]
    rows = [
        [
            count(each.get("index")),
            _score(each.get("score")),
            _called(each.get("name")),
            _said(why(strategy, each.get("score"), each.get("between"), names)),
        ]
        for each in missed[:MOST_NEAR]
    ]
    if not rows:
        return None
    return _without_unknown(Table("Just not chosen", ["sample", "score", "name", "why"], rows))


def _without_unknown(table: Table) -> Table:
    """The same without columns of which nothing is known."""
    kept = [
        column
        for column in range(len(table.heads))
        if any(row[column] not in (UNKNOWN, NO_SCORE) for row in table.rows)
    ]
    rows = [[row[column] for column in kept] for row in table.rows]
    return replace(table, heads=[table.heads[column] for column in kept], rows=rows)


def _said(sentence: Markup) -> Markup:
    return Markup('<span class="why">{}</span>').format(sentence)


def _score(told: Any) -> Markup:
    """As it is in selected.csv; chance gives none."""
    return NO_SCORE if finite(told) is None else number(told)


def _filled(told: Any, size: int) -> list[Any]:
    return (entries(told) + [None] * size)[:size]


def _called(told: Any) -> Markup:
    return UNKNOWN if told is None else name(told)


def _label(told: Any, names: Sequence[str]) -> Markup:
    found = class_name(names, told)
    return UNKNOWN if found is None else name(found, 30)
