"""A metric over the loops as a line in the text."""

import math
from collections.abc import Sequence

WIDTH, HEIGHT, MARGIN = 120, 28, 3
MOST_POINTS = 120
LEAST_SPAN = 0.05
"""A metric that hardly moves is a flat line, not a mountain range."""


def sparkline_points(values: Sequence[float]) -> str:
    """The points of an SVG polyline; `sparkline_box` is its view.

    Args:
        values: Any; what is no number is left out.

    Returns:
        Such as `3,25 60,10`; empty below two values.
    """
    found = [value for value in values if math.isfinite(value)]
    if len(found) < 2:
        return ""
    if len(found) > MOST_POINTS:
        found = [found[at * (len(found) - 1) // (MOST_POINTS - 1)] for at in range(MOST_POINTS)]
    low, high = min(found), max(found)
    low, span = (low, high - low) if high - low >= LEAST_SPAN else (
        (low + high - LEAST_SPAN) / 2, LEAST_SPAN)  # fmt: skip
    step = (WIDTH - 2 * MARGIN) / (len(found) - 1)
    return " ".join(
        f"{MARGIN + at * step:.1f},"
        f"{MARGIN + (1 - (value - low) / span) * (HEIGHT - 2 * MARGIN):.1f}"
        for at, value in enumerate(found)
    )


def sparkline_box() -> str:
    """The view of the line above."""
    return f"0 0 {WIDTH} {HEIGHT}"
