"""What changed from each loop to the next: settings, code, packages, hyperparameters, agents."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from alectio_agent.report.change_rows import Row, section_rows
from alectio_agent.report.changes import differing
from alectio_agent.report.loop_changes import changed_sections
from alectio_agent.report.reading import Document, Loop, entries, loops_of, member, number_of

SECTIONS = ("code", "packages", "args", "training", "strategy", "hyperparams")
"""Scores, seconds and warnings have parts of the page of their own."""
EVERY_LOOP = ("checkpoint", "resume_from")
"""Names of checkpoints are others in every loop."""
OF_THE_FIRST = ("chosen_by", "strategy")
NEARLY_EVERY, FEWEST_STEPS = 0.75, 4
"""In which share of the steps a hyperparameter changes that tells nothing, and of how many."""
MOST_ROWS = 12
MOST_STEPS = 40


@dataclass(frozen=True)
class Step:
    """From one loop to the next.

    Attributes:
        before: Number of the one loop.
        after: Number of the next.
        sections: Name of each section that changed, with its rows.
    """

    before: int
    after: int
    sections: Sequence[tuple[str, Sequence[Row]]]


def find_steps(document: Document) -> list[Step]:
    """All changes, the newest first.

    Args:
        document: Of the experiment.

    Returns:
        A step for each loop in which anything changed.
    """
    restless = restless_names(document)
    found = [_step(old, new, restless) for old, new in pairwise(_trained(document))]
    return [step for step in reversed(found) if step.sections]


def restless_names(document: Document) -> list[str]:
    """Hyperparameters that change in nearly every loop, such as a loss: they would bury the rest.

    Args:
        document: Of the experiment.

    Returns:
        Their names, sorted.
    """
    steps = list(pairwise(loop.get("hyperparams") for loop in _trained(document)))
    if len(steps) < FEWEST_STEPS:
        return []
    changes = Counter(name for old, new in steps for name in differing(old, new))
    return sorted(name for name, times in changes.items() if times >= NEARLY_EVERY * len(steps))


def _trained(document: Document) -> list[Loop]:
    return [loop for loop in loops_of(document) if member(loop, "times", "seconds", "train")]


def _step(old: Loop, new: Loop, restless: Sequence[str]) -> Step:
    # Metrics, classes and seconds are compared elsewhere; leaving them out spares the time.
    changed = changed_sections({}, _bare(old), _bare(new))
    sections = []
    for name in SECTIONS:
        section = changed[name] or {}
        if name == "training":
            section = {key: what for key, what in section.items() if key not in EVERY_LOOP}
        if name == "strategy" and number_of(old) == 0:
            # Loop 0 is always chosen without a model, by the settings of `initial`.
            section = {key: what for key, what in section.items() if key not in OF_THE_FIRST}
        if name == "hyperparams":
            section = {key: what for key, what in section.items() if key not in restless}
        rows = list(section_rows(name, section)) if section else []
        if name == "training":
            rows += _fresh(section)
        if rows:
            left = len(rows) - MOST_ROWS
            more = [("", f"and {left} more")] if left > 0 else []
            sections.append((name, [*rows[:MOST_ROWS], *more]))
    attempts = [len(entries(loop.get("attempts"))) for loop in (old, new)]
    if attempts[1] > 1 and attempts[0] != attempts[1]:
        sections.append(("attempts", [("attempts", f"{attempts[0]} -> {attempts[1]}")]))
    return Step(number_of(old), number_of(new), sections)


def _bare(loop: Loop) -> Loop:
    return {**loop, "metrics": None, "per_class": None, "times": None, "warnings": None}


def _fresh(section: dict[str, dict[str, object]]) -> list[Row]:
    """That a loop began from nothing is told; that the one after loop 0 did not goes without."""
    change = section.get("is_fresh")
    return [("began", "from nothing")] if change and change["new"] is True else []
