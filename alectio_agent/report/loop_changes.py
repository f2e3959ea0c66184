"""What differs between two loops of an experiment, section by section.

Members that a loop does not tell, because an older hub or agent wrote them, count as not known.
"""

from typing import Any

from alectio_agent.report.changes import differing, sorted_out

Loop = dict[str, Any]
Section = dict[str, Any]


def changed_sections(document: dict[str, Any], old: Loop, new: Loop) -> dict[str, Section | None]:
    """Compare two loops.

    Args:
        document: History of the experiment.
        old: The one loop.
        new: The other.

    Returns:
        What differs, by section: empty when nothing does, None when one of the loops tells
        nothing about it.
    """
    return {
        "metrics": _numbers(old.get("metrics"), new.get("metrics")),
        "classes": _classes(document, old, new),
        "args": _args(old, new),
        "hyperparams": differing(old.get("hyperparams"), new.get("hyperparams")),
        "code": _code(old, new),
        "packages": _packages(old, new),
        "training": _training(old, new),
        "strategy": _strategy(old, new),
        "warnings": _warnings(old, new),
        "seconds": _numbers(_seconds(old), _seconds(new)),
    }


def _seconds(loop: Loop) -> Section | None:
    return (loop.get("times") or {}).get("seconds")


def _numbers(old: Section | None, new: Section | None) -> Section | None:
    return None if old is None or new is None else differing(old, new)


def _classes(document: dict[str, Any], old: Loop, new: Loop) -> Section | None:
    """Per class, the values of its metrics that differ."""
    if not old.get("per_class") or not new.get("per_class"):
        return None
    names = (document.get("settings") or {}).get("classes")
    before, after = (_by_class(loop["per_class"], names) for loop in (old, new))
    found = {name: differing(before.get(name, {}), after.get(name, {})) for name in after}
    return {name: changed for name, changed in found.items() if changed}


def _by_class(per_class: dict[str, list[Any]], names: list[str] | int | None) -> dict[str, Section]:
    count = len(next(iter(per_class.values())))
    named = names if isinstance(names, list) else [str(at) for at in range(count)]
    return {
        name: {metric: values[at] for metric, values in per_class.items()}
        for at, name in enumerate(named)
    }


def _args(old: Loop, new: Loop) -> Section | None:
    before, after = (loop.get("provenance") or {} for loop in (old, new))
    if before.get("args") is not None and after.get("args") is not None:
        return differing(before["args"], after["args"])
    digests = [made_of.get("args_digest") for made_of in (before, after)]
    if None in digests:
        return None
    return {} if digests[0] == digests[1] else {"is_hidden": True}


def _code(old: Loop, new: Loop) -> Section | None:
    before, after = ((loop.get("provenance") or {}).get("code") or {} for loop in (old, new))
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
    before, after = ((loop.get("provenance") or {}).get("interpreter") or {} for loop in (old, new))
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
    for tried in loop.get("attempts") or []:
        if "train" in (tried.get("counted") or []):
            return {
                "agent": tried.get("agent"),
                "attempt": tried.get("attempt"),
                "checkpoint": tried.get("checkpoint"),
                "is_fresh": tried.get("resume_from") is None,
                "resume_from": tried.get("resume_from"),
            }
    return None


def _strategy(old: Loop, new: Loop) -> Section:
    before, after = ({"chosen_by": loop.get("chosen_by"), **_settings(loop)} for loop in (old, new))
    return differing(before, after)


def _settings(loop: Loop) -> Section:
    return (loop.get("selection") or {}).get("settings") or {}


def _warnings(old: Loop, new: Loop) -> Section:
    before, after = (
        [
            f"{step}: {text}"
            for step, texts in (loop.get("warnings") or {}).items()
            for text in texts
        ]
        for loop in (old, new)
    )
    found = {
        "added": [text for text in after if text not in before],
        "removed": [text for text in before if text not in after],
    }
    return {kind: texts for kind, texts in found.items() if texts}
