"""All loops of an experiment as a table."""

from collections.abc import Sequence

from markupsafe import Markup

from alectio_agent.report.reading import (
    STEPS,
    Document,
    Loop,
    count_of,
    entries,
    finite,
    loops_of,
    member,
    metric_title,
    metrics_of,
    number_of,
    points_of,
    seconds_of,
)
from alectio_agent.report.table import Cell, Table
from alectio_agent.report.words import UNKNOWN, count, duration, name, number, stamp

NOTHING = Markup("")


def find_loop_table(document: Document, control: Document | None) -> Table:
    """All loops, those that run included.

    Args:
        document: The experiment.
        control: Its control, whose score at the same labels stands beside.
    """
    metrics = metrics_of(document)
    main = metrics[0] if metrics else ""
    beside = {point.labels: point.value for point in points_of(control, main)}
    heads: list[Cell] = ["loop", "state", "labels", "batch"]
    heads += [metric_title(metric) for metric in metrics]
    if beside:
        heads.append(f"{metric_title(main)} of random")
    heads += [*STEPS, "chosen by", "agent", "attempts", "done"]
    rows = [_row(loop, metrics, beside) for loop in loops_of(document)]
    return Table("All loops", heads, rows)


def _row(loop: Loop, metrics: Sequence[str], beside: dict[int, float]) -> list[Cell]:
    row: list[Cell] = [
        str(number_of(loop)),
        name(loop.get("state") or "?"),
        count(loop.get("labels")),
        count(loop.get("batch")),
    ]
    row += [_known(member(loop, "metrics", metric)) for metric in metrics]
    if beside:
        row.append(_known(beside.get(count_of(loop.get("labels")) or 0)))
    seconds = seconds_of(loop)
    row += [duration(seconds[step]) if step in seconds else NOTHING for step in STEPS]
    tried = entries(loop.get("attempts"))
    done = member(loop, "times", "done_at")
    return [
        *row,
        name(loop.get("chosen_by") or ""),
        _agent(loop),
        count(len(tried)) if tried else NOTHING,
        stamp(done) if done else NOTHING,
    ]


def _known(value: object) -> Markup:
    return NOTHING if value is None else UNKNOWN if finite(value) is None else number(value)


def _agent(loop: Loop) -> Markup:
    """Whose train counts; else who has it now."""
    tried = [each for each in entries(loop.get("attempts")) if isinstance(each, dict)]
    counted = [each for each in tried if each.get("counted")]
    last = (counted or tried)[-1:]
    return name(last[0].get("agent") or "") if last else NOTHING
