"""Where the time went: hooks of each loop, what lay between them, what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alectio_agent.report.figures import Figure, colour, hatched
from alectio_agent.report.reading import (
    STEPS,
    Document,
    Loop,
    count_of,
    entries,
    loops_of,
    member,
    moment,
    number_of,
    points_of,
    seconds_of,
)
from alectio_agent.report.savings import Saving
from alectio_agent.report.table import Table
from alectio_agent.report.words import UNKNOWN, duration

LOOKS_BACK = 3
"""Loops from which the rest is reckoned: later ones train on more, early ones say little."""
PATTERNS = ("", "/", ".", "")
ENDED = ("finished", "cancelled")


@dataclass(frozen=True)
class Saved:
    """Time of the hooks until the same score.

    Attributes:
        ours: Seconds.
        control: Seconds of the control's.
    """

    ours: float
    control: float

    @property
    def seconds(self) -> float:
        """What was saved; below zero when random took less."""
        return self.control - self.ours


@dataclass(frozen=True)
class Times:
    """Where the time went.

    Attributes:
        figure: Seconds of each loop, stacked; None before a step was counted.
        table: Their numbers.
        hooks_s: All hooks together.
        running_s: From creation until the end, or until the last that is recorded.
        left_s: What the loops that are left will take; None when that is not known.
        has_ended: Whether nothing is left to be run.
    """

    figure: Figure | None
    table: Table
    hooks_s: float
    running_s: float | None
    left_s: float | None
    has_ended: bool


def find_times(document: Document) -> Times:
    """Where the time of an experiment went.

    Args:
        document: Of the experiment.
    """
    loops = [loop for loop in loops_of(document) if seconds_of(loop)]
    between = _between(document)
    rows = [
        [f"{number_of(loop)}"]
        + [
            duration(seconds_of(loop)[step]) if step in seconds_of(loop) else UNKNOWN
            for step in STEPS
        ]
        + [duration(between.get(number_of(loop)))]
        for loop in loops
    ]
    heads = ["loop", *STEPS, "between the steps"]
    return Times(
        figure=_figure(loops, between) if loops else None,
        table=Table("Time of each loop", heads, rows),
        hooks_s=sum(sum(seconds_of(loop).values()) for loop in loops),
        running_s=_running(document),
        left_s=_left(document),
        has_ended=document.get("state") in ENDED,
    )


def find_saved_time(document: Document, control: Document, saving: Saving) -> Saved | None:
    """Time of the hooks until the lower of both last scores.

    What training on the whole pool would have taken cannot be known: it was never done.

    Args:
        document: The experiment.
        control: Its control.
        saving: Of the metric that is compared.

    Returns:
        None when one of them has not reached the score, or its times are not known.
    """
    score = saving.shared.score
    ours, theirs = (_seconds_until(each, saving.metric, score) for each in (document, control))
    return None if ours is None or theirs is None else Saved(ours, theirs)


def _seconds_until(document: Document, metric: str, score: float) -> float | None:
    """Seconds of all hooks up to the first loop with a score; a part of a loop cannot be run."""
    reached = [point.loop for point in points_of(document, metric) if point.value >= score]
    if not reached:
        return None
    counted = [seconds_of(loop) for loop in loops_of(document) if number_of(loop) <= reached[0]]
    return sum(sum(each.values()) for each in counted) if all(counted) else None


def _between(document: Document) -> dict[int, float]:
    """Of each loop that is done, the seconds in which no hook ran since the loop before."""
    found, before = {}, moment(member(document, "times", "created_at"))
    for loop in loops_of(document):
        done = moment(member(loop, "times", "done_at"))
        if done and before:
            whole = (done - before).total_seconds()
            found[number_of(loop)] = max(0.0, whole - sum(seconds_of(loop).values()))
        before = done
    return found


def _running(document: Document) -> float | None:
    begun = moment(member(document, "times", "created_at"))
    stamps: list[Any] = [member(document, "times", "ended_at")]
    for loop in loops_of(document):
        stamps += [member(loop, "times", "selected_at"), member(loop, "times", "done_at")]
        for step in (member(loop, "times", "steps") or {}).values():
            stamps.append(member(step, "finished_at"))
    known = [found for stamp in stamps if (found := moment(stamp))]
    if begun is None or not known:
        return None
    return max(0.0, (max(known) - begun).total_seconds())


def _left(document: Document) -> float | None:
    """Hooks of the last loops, as often as loops are left."""
    if document.get("state") in ENDED:
        return 0.0
    done = [loop for loop in loops_of(document) if loop.get("state") == "done"]
    told = [sum(seconds_of(loop).values()) for loop in done[-LOOKS_BACK:] if seconds_of(loop)]
    planned = count_of(member(document, "settings", "loops"))
    if not told or planned is None:
        return None
    return max(0, planned - len(done)) * sum(told) / len(told)


def _figure(loops: Sequence[Loop], between: dict[int, float]) -> Figure:
    at = [number_of(loop) for loop in loops]
    seconds = {step: [seconds_of(loop).get(step, 0.0) for loop in loops] for step in STEPS}
    if between:
        seconds["between the steps"] = [between.get(loop, 0.0) for loop in at]
    unit, divisor = _unit(max(map(sum, zip(*seconds.values(), strict=True))))
    traces = [
        {
            "type": "bar",
            "name": title,
            "x": at,
            "y": [round(value / divisor, 4) for value in values],
            "marker": {
                "color": colour(position) if title in STEPS else "var(--rule)",
                "pattern": hatched(PATTERNS[position]),
            },
            "hovertemplate": f"loop %{{x}}: %{{y:.2f}} {unit}<extra>{title}</extra>",
        }
        for position, (title, values) in enumerate(seconds.items())
    ]
    layout = {
        "barmode": "stack",
        "legend": {"traceorder": "normal"},
        "xaxis": {"title": {"text": "loop"}, **({"dtick": 1} if len(at) <= 25 else {})},
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero"},
    }
    return Figure(traces, layout, "Time of each loop by step; the numbers stand below")


def _unit(longest_s: float) -> tuple[str, int]:
    """The unit in which an axis is read easily."""
    if longest_s < 180:
        return "seconds", 1
    return ("minutes", 60) if longest_s < 3 * 3600 else ("hours", 3600)


def attempts_of(loop: Loop) -> int:
    """How many attempts a loop took.

    Args:
        loop: Of a document.
    """
    return len(entries(loop.get("attempts")))
