"""Several experiments side by side: what each is called, and the labels that each needed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from alectio_agent.report.page import Told
from alectio_agent.report.reading import Document, metrics_of, points_of
from alectio_agent.report.savings import reach

STEPS_OF_SCORES = (*(step / 20 for step in range(1, 20)), 0.97, 0.98, 0.99)
"""Scores that people speak of."""
MOST_LEVELS = 5


@dataclass(frozen=True)
class Run:
    """One of the experiments that are compared.

    Attributes:
        label: What it is called here, which no other is.
        document: All that is kept of it.
        is_control: Whether it chose at random for another one.
    """

    label: str
    document: Document
    is_control: bool


@dataclass(frozen=True)
class Needs:
    """Labels that each run needed for scores that some of them reach.

    Attributes:
        metric: Whose scores.
        levels: The scores, increasing.
        common: The highest score that all reach; None when there is none.
        rows: For each run, labels by level; None where it did not reach it.
    """

    metric: str
    levels: Sequence[float]
    common: float | None
    rows: Sequence[Sequence[int | None]]


def find_runs(compared: Sequence[Told]) -> list[Run]:
    """The experiments and their controls, each once.

    Args:
        compared: In the order in which they are shown.

    Returns:
        Each experiment, followed by its control unless that is compared itself.
    """
    named = {(each.source, each.document.get("name")) for each in compared}
    found: list[tuple[str, str, Document, bool]] = []
    for each in compared:
        is_control = bool(each.document.get("control_of"))
        found.append((_name(each.document), each.source, each.document, is_control))
        control = each.control
        if control is not None and (each.source, control.get("name")) not in named:
            found.append((_name(control), each.source, control, True))
    return [
        Run(label, document, is_control)
        for label, (_, _, document, is_control) in zip(
            _labels([(name, source) for name, source, _, _ in found]), found, strict=True
        )
    ]


def all_metrics(runs: Sequence[Run]) -> list[str]:
    """The metrics that any of them has.

    Args:
        runs: That are compared.
    """
    return list(dict.fromkeys(name for run in runs for name in metrics_of(run.document)))


def find_needs(runs: Sequence[Run], metric: str) -> Needs:
    """How many labels each needed for the same scores.

    Args:
        runs: That are compared.
        metric: Its name.

    Returns:
        Round scores near the top, and the highest that all reach.
    """
    curves = [points_of(run.document, metric) for run in runs]
    told = [curve for curve in curves if curve]
    if not told:
        return Needs(metric, (), None, [() for _ in runs])
    best = [max(point.value for point in curve) for curve in told]
    begun = max(curve[0].value for curve in told)
    round_ = [level for level in STEPS_OF_SCORES if begun < level <= max(best)]
    common = min(best) if len(told) == len(runs) else None
    if common is not None:  # a level that reads the same would stand there twice
        round_ = [level for level in round_ if f"{level:.3f}" != f"{common:.3f}"]
    levels = sorted({*round_[-MOST_LEVELS:], *([] if common is None else [common])})
    rows = [[reach(curve, level) for level in levels] for curve in curves]
    return Needs(metric, levels, common, rows)


def _name(document: Document) -> str:
    return str(document.get("name") or "experiment")


def _labels(called: Sequence[tuple[str, str]]) -> list[str]:
    """Names; where two are the same, where they come from; else their number."""
    names, whole = Counter(name for name, _ in called), Counter(called)
    seen = Counter[tuple[str, str]]()
    labels = []
    for name, source in called:
        seen[name, source] += 1
        label = f"{name} ({source})" if names[name] > 1 and source else name
        is_doubled = whole[name, source] > 1 and seen[name, source] > 1
        labels.append(f"{label} #{seen[name, source]}" if is_doubled else label)
    return labels
