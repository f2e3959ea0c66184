"""What changed between two loops of an experiment, from what its hub keeps of them."""

from typing import Any

from alectio_agent.cli.changes import differing, pair, sorted_out
from alectio_agent.core.errors import UsageError

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
    sections = {
        "metrics": _numbers(old["metrics"], new["metrics"]),
        "classes": _classes(document, old, new),
        "args": _args(old, new),
        "hyperparams": differing(old["hyperparams"], new["hyperparams"]),
        "code": _code(old, new),
        "packages": _packages(old, new),
        "training": _training(old, new),
        "strategy": _strategy(old, new),
        "warnings": _warnings(old, new),
        "seconds": _numbers(old["times"]["seconds"], new["times"]["seconds"]),
    }
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


def _numbers(old: Section | None, new: Section | None) -> Section | None:
    return None if old is None or new is None else differing(old, new)


def _classes(document: dict[str, Any], old: Loop, new: Loop) -> Section | None:
    """Per class, the values of its metrics that differ."""
    if not old["per_class"] or not new["per_class"]:
        return None
    names = document["settings"]["classes"]
    before, after = (_by_class(loop["per_class"], names) for loop in (old, new))
    found = {name: differing(before.get(name, {}), after.get(name, {})) for name in after}
    return {name: changed for name, changed in found.items() if changed}


def _by_class(per_class: dict[str, list[Any]], names: list[str] | int) -> dict[str, Section]:
    count = len(next(iter(per_class.values())))
    named = names if isinstance(names, list) else [str(at) for at in range(count)]
    return {
        name: {metric: values[at] for metric, values in per_class.items()}
        for at, name in enumerate(named)
    }


def _args(old: Loop, new: Loop) -> Section | None:
    before, after = (loop["provenance"] or {} for loop in (old, new))
    if before.get("args") is not None and after.get("args") is not None:
        return differing(before["args"], after["args"])
    digests = [made_of.get("args_digest") for made_of in (before, after)]
    if None in digests:
        return None
    return {} if digests[0] == digests[1] else {"is_hidden": True}


def _code(old: Loop, new: Loop) -> Section | None:
    before, after = ((loop["provenance"] or {}).get("code") or {} for loop in (old, new))
    if not before.get("digest") or not after.get("digest"):
        return None
    said = ("git_commit", "is_dirty", "digest")
    found: Section = differing(
        {name: before.get(name) for name in said}, {name: after.get(name) for name in said}
    )
    if before.get("files") and after.get("files"):
        files = sorted_out(before["files"], after["files"])
        found |= {"files": {kind: list(names) for kind, names in files.items()}} if files else {}
    return found


def _packages(old: Loop, new: Loop) -> Section | None:
    before, after = ((loop["provenance"] or {}).get("interpreter") or {} for loop in (old, new))
    if not before.get("version") or not after.get("version"):
        return None
    python = differing(
        {name: value for name, value in before.items() if name != "packages"},
        {name: value for name, value in after.items() if name != "packages"},
    )
    listed = sorted_out(before.get("packages", {}), after.get("packages", {}))
    return {**({"python": python} if python else {}), **listed}


def _training(old: Loop, new: Loop) -> Section | None:
    before, after = (_train_attempt(loop) for loop in (old, new))
    return None if before is None or after is None else differing(before, after)


def _train_attempt(loop: Loop) -> Section | None:
    """How the train run that counts was begun."""
    for tried in loop["attempts"]:
        if "train" in tried["counted"]:
            return {
                "agent": tried["agent"],
                "attempt": tried["attempt"],
                "checkpoint": tried["checkpoint"],
                "is_fresh": tried["resume_from"] is None,
                "resume_from": tried["resume_from"],
            }
    return None


def _strategy(old: Loop, new: Loop) -> Section:
    before, after = (
        {"chosen_by": loop["chosen_by"], **loop["selection"]["settings"]} for loop in (old, new)
    )
    return differing(before, after)


def _warnings(old: Loop, new: Loop) -> Section:
    before, after = (
        [f"{step}: {text}" for step, texts in loop["warnings"].items() for text in texts]
        for loop in (old, new)
    )
    found = {
        "added": [text for text in after if text not in before],
        "removed": [text for text in before if text not in after],
    }
    return {kind: texts for kind, texts in found.items() if texts}
