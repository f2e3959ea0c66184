"""Figures as plain JSON for plotly's JavaScript; their colours are names of the page's style.

`report.js` puts colours in for `var(--...)`, so that a figure follows a change of scheme.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from alectio_agent.report.reading import Point
from alectio_agent.report.words import drawn

Trace = dict[str, Any]
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross", "triangle-down")
COLOURS = 7
"""Those of Okabe and Ito but yellow, which is too pale on paper: `--series-0` and so on."""


@dataclass(frozen=True)
class Figure:
    """A figure, and what it is called where it cannot be seen.

    Attributes:
        data: Traces.
        layout: Titles of axes and the like; the rest is the page's.
        label: What it shows, in a sentence.
    """

    data: Sequence[Trace]
    layout: dict[str, Any]
    label: str

    def __html__(self) -> str:
        """The place where `report.js` draws it."""
        told = json.dumps(
            {"data": list(self.data), "layout": self.layout},
            allow_nan=False,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return Markup(
            '<div class="figure" role="img" aria-label="{}" data-figure=\'{}\'></div>'
        ).format(self.label, _attribute(told))


def colour(position: int) -> str:
    """The colour of a series.

    Args:
        position: From 0; they repeat, with another dash.
    """
    return f"var(--series-{position % COLOURS})"


def hatched(shape: str) -> Trace:
    """Lines over a bar, so that it is known without its colour.

    Args:
        shape: As plotly names it; empty for none.
    """
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "var(--card)", "size": 6}


def curve(label: str, points: Sequence[Point], position: int, *, is_dashed: bool = False) -> Trace:
    """A learning curve.

    Args:
        label: Its name in the legend.
        points: By labels.
        position: Of its colour, dash and marker.
        is_dashed: For a control.
    """
    dash = "dash" if is_dashed else DASHES[position // COLOURS % len(DASHES)]
    shown = drawn(label)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": shown,
        "x": [point.labels for point in points],
        "y": [round(point.value, 6) for point in points],
        "customdata": [point.loop for point in points],
        "line": {"color": colour(position), "dash": dash, "width": 2},
        "marker": {
            "color": colour(position),
            "symbol": MARKERS[position % len(MARKERS)] + ("-open" if is_dashed else ""),
            "size": 7,
        },
        "hovertemplate": f"%{{y:.4f}} with %{{x:,}} labels<br>loop %{{customdata}}"
        f"<extra>{shown}</extra>",
    }


def band(low: Sequence[Point], high: Sequence[Point], position: int) -> list[Trace]:
    """The room between the lowest and the highest of several runs.

    Args:
        low: Lowest values, by labels.
        high: Highest values at the same labels.
        position: Of the colour.
    """
    edge = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
            "line": {"width": 0, "color": colour(position)}}  # fmt: skip
    return [
        {**edge, "x": [point.labels for point in low], "y": [point.value for point in low]},
        {
            **edge,
            "x": [point.labels for point in high],
            "y": [point.value for point in high],
            "fill": "tonexty",
            "fillcolor": f"var(--band-{position % COLOURS})",
            "name": "lowest to highest",
            "showlegend": True,
        },
    ]


def _attribute(text: str) -> Markup:
    """Text in an attribute between single quotes; double ones, of which JSON is full, may stay."""
    escaped = (
        text.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;").replace(">", "&gt;")
    )
    return Markup(escaped)  # noqa: S704 - escaped in the line above
