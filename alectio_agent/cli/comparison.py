"""What changed between two loops of an experiment, from what its hub keeps of them."""

from typing import Any

from alectio_agent.core.errors import UsageError
from alectio_agent.report.changes import pair
from alectio_agent.report.loop_changes import changed_sections

Loop = dict[str, Any]
Section = dict[str, Any]


def compare_loops(document: dict[str, Any], before: int, after: int) -> dict[str, Any]:
    """Compare two loops.

    Args:
        document: History of the experiment.
        before: Number of the one loop.
        after: Number of the other.

    Returns:
        `changed`, by section; names of the sections that are the `same`, and of those about which
        one of the loops tells nothing (`unknown`).

    Raises:
        UsageError: There is no such loop, or its test was not counted yet.
    """
    old, new = (_tested_loop(document, loop) for loop in (before, after))
    sections = changed_sections(document, old, new)
    return {
        "experiment": document["name"],
        "before": before,
        "after": after,
        "samples": _samples(document, old, new),
        "changed": {name: section for name, section in sections.items() if section},
        "same": [name for name, section in sections.items() if section == {}],
        "unknown": [name for name, section in sections.items() if section is None],
    }


def _tested_loop(document: dict[str, Any], number: int) -> Loop:
    name, loops = document["name"], document["loops"]
    found: Loop | None = next((loop for loop in loops if loop["loop"] == number), None)
    if found is not None and "test" in found["rows"]:
        return found
    tested = [loop["loop"] for loop in loops if "test" in loop["rows"]]
    there = f"loops {tested[0]} to {tested[-1]} can be compared" if tested else "none is done yet"
    why = "there is no such loop" if found is None else f"its test is not done ({found['state']})"
    raise UsageError(
        f"{name}/{number}: {why}; {there}",
        code="E-EXP-07",
        hint=f"What there is: alectio-agent experiment show {name}",
    )


def _samples(document: dict[str, Any], old: Loop, new: Loop) -> Section:
    before, after = (_labels_at(document, loop["loop"]) for loop in (old, new))
    if before is not None and after is not None:
        return {
            "labels": pair(old["labels"], new["labels"]),
            "added": sorted(after.keys() - before.keys()),
            "removed": sorted(before.keys() - after.keys()),
            "relabelled": sorted(at for at in before.keys() & after if before[at] != after[at]),
        }
    labelled = [
        {
            index
            for loop in document["loops"]
            if loop["loop"] <= last["loop"]
            for index in loop["selected"]
        }
        for last in (old, new)
    ]
    return {
        "labels": pair(old["labels"], new["labels"]),
        "added": sorted(labelled[1] - labelled[0]),
        "removed": sorted(labelled[0] - labelled[1]),
    }


def _labels_at(document: dict[str, Any], number: int) -> dict[int, Any] | None:
    """The labels by people that a loop trained on; None when its hooks have them."""
    found: dict[int, Any] = {}
    for loop in document["loops"]:
        if loop["loop"] > number:
            break
        if loop.get("label_changes") is None:
            return None
        found |= dict(loop["label_changes"])
    return {sample: label for sample, label in found.items() if label is not None}
