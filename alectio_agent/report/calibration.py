"""How far the model's probabilities can be believed."""

from dataclasses import dataclass
from typing import Any

from alectio_agent.report.figures import Figure, colour
from alectio_agent.report.reading import (
    Document,
    entries,
    finite,
    last_with,
    member,
    number_of,
)
from alectio_agent.report.table import Table
from alectio_agent.report.words import count, number

ROUGH = 0.1
"""Above this expected calibration error, scores are rough."""


@dataclass(frozen=True)
class Calibration:
    """Confidence against accuracy on the test set.

    Attributes:
        loop: Number of the loop.
        error: Expected calibration error (ECE); None when it is not known.
        chooses: Whether samples are chosen by its scores; a control chooses by chance.
        figure: The reliability diagram.
        table: Its numbers.
    """

    loop: int
    error: float | None
    chooses: bool
    figure: Figure
    table: Table

    @property
    def is_rough(self) -> bool:
        """Whether the scores that samples are chosen by are rough."""
        return self.chooses and self.error is not None and self.error > ROUGH


def find_calibration(document: Document) -> Calibration | None:
    """The calibration after the last loop that tells it.

    Args:
        document: Of the experiment.

    Returns:
        None when `test` returned no outputs.
    """
    loop = last_with(document, "calibration")
    if loop is None:
        return None
    told = member(loop, "calibration")
    bins = [each for each in entries(member(told, "bins")) if isinstance(each, dict)]
    drawn_bins = [
        (confidence, accuracy, each.get("count"))
        for each in bins
        if (confidence := finite(each.get("confidence"))) is not None
        and (accuracy := finite(each.get("accuracy"))) is not None
    ]
    if not drawn_bins and finite(member(told, "ece")) is None:
        return None
    return Calibration(
        number_of(loop),
        finite(member(told, "ece")),
        _chooses_by_scores(document),
        _figure(drawn_bins),
        _table(bins),
    )


def _figure(drawn_bins: list[tuple[float, float, Any]]) -> Figure:
    traces = [
        {"type": "scatter", "mode": "lines", "name": "perfect", "x": [0, 1], "y": [0, 1],
         "hoverinfo": "skip", "line": {"color": "var(--muted)", "dash": "dot", "width": 1.5}},
        {"type": "scatter", "mode": "lines+markers", "name": "this model",
         "x": [each[0] for each in drawn_bins], "y": [each[1] for each in drawn_bins],
         "customdata": [finite(each[2]) for each in drawn_bins],
         "line": {"color": colour(0), "width": 2},
         "marker": {"color": colour(0), "symbol": "square", "size": 8},
         "hovertemplate": "confidence %{x:.3f}<br>accuracy %{y:.3f}<br>"
                          "%{customdata:,} samples<extra></extra>"},
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "confidence"}, "range": [0, 1]},
        "yaxis": {"title": {"text": "accuracy"}, "range": [0, 1.02]},
    }
    return Figure(traces, layout, "Accuracy against confidence; the numbers stand below")


def _table(bins: list[dict[str, Any]]) -> Table:
    rows = [
        [
            f"{finite(each.get('low')) or 0:.2f} to {finite(each.get('high')) or 0:.2f}",
            count(each.get("count")),
            number(each.get("confidence")),
            number(each.get("accuracy")),
        ]
        for each in bins
    ]
    heads = ["probability", "samples", "mean confidence", "accuracy"]
    return Table("Reliability by confidence", heads, rows)


def _chooses_by_scores(document: Document) -> bool:
    """Unless all that its settings name is chance; what they do not tell may be anything."""
    schedule = entries(member(document, "settings", "schedule"))
    told = [member(document, "settings", "strategy")]
    told += [member(entry, "strategy") for entry in schedule]
    parts = [part for strategy in told for part in entries(strategy)]
    return not parts or any(member(part, "name") != "random" for part in parts)
