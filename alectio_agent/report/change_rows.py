"""What differs between two loops, as rows of text that terminal and report share."""

import json
from collections.abc import Iterator
from typing import Any

from alectio_agent.core.log import printable
from alectio_agent.core.units import format_duration

MOST_INDICES = 8
LONGEST = 120

Row = tuple[str, str]


def sample_rows(section: dict[str, Any]) -> Iterator[Row]:
    """Labels of both loops, and which samples came or went.

    Args:
        section: `samples` of a comparison.

    Yields:
        What, and how it changed.
    """
    yield "labels", _change(section["labels"])
    for kind in ("added", "removed", "relabelled"):
        indices = section.get(kind)
        if indices:
            shown = ", ".join(map(str, indices[:MOST_INDICES]))
            more = ", ..." if len(indices) > MOST_INDICES else ""
            yield kind, f"{len(indices):,}: {shown}{more}"


def _changes(section: dict[str, Any]) -> Iterator[Row]:
    for what, change in section.items():
        yield what, _change(change)


def _classes(section: dict[str, Any]) -> Iterator[Row]:
    """Classes whose F1 moved most come first."""

    def moved(entry: tuple[str, Any]) -> float:
        difference: float = entry[1].get("f1", {}).get("difference", 0.0)
        return -abs(difference)

    for name, metrics in sorted(section.items(), key=moved):
        shown = f"class {name}" if name.isdecimal() else name
        for metric in ("f1", "precision", "recall", "support"):
            if metric in metrics:
                yield f"{shown} {metric}", _change(metrics[metric])


def _args(section: dict[str, Any]) -> Iterator[Row]:
    if section.get("is_hidden") is True:
        yield "", "changed, not shared"
    else:
        yield from _changes(section)


def _code(section: dict[str, Any]) -> Iterator[Row]:
    names = {"git_commit": "git commit", "is_dirty": "uncommitted", "digest": "digest"}
    for key, name in names.items():
        if key in section:
            ends = {end: _short(section[key][end]) for end in ("old", "new")}
            yield name, _change(ends)
    for kind, files in section.get("files", {}).items():
        yield from ((file, kind) for file in files)


def _packages(section: dict[str, Any]) -> Iterator[Row]:
    for what, change in section.get("python", {}).items():
        yield f"python {what}", _change(change)
    yield from _changes(section.get("changed", {}))
    for kind in ("added", "removed"):
        for name, version in section.get(kind, {}).items():
            yield name, f"{kind}: {show(version)}"


def _training(section: dict[str, Any]) -> Iterator[Row]:
    """Whether it went on from a checkpoint is told by which."""
    told = {name: change for name, change in section.items() if name != "is_fresh"}
    if "resume_from" in told:
        ends = told.pop("resume_from")
        began = {end: name or "nothing" for end, name in ends.items()}
        yield "began from", _change(began)
    yield from _changes(told)


def _strategy(section: dict[str, Any]) -> Iterator[Row]:
    """The list of strategies is told once: by name, unless only an option differs."""
    is_named = "chosen_by" in section
    for what, change in section.items():
        if what == "chosen_by":
            yield "chosen by", _change(change)
        elif not (is_named and what == "strategy"):
            yield what, _change(change)


def _warnings(section: dict[str, Any]) -> Iterator[Row]:
    for kind, word in (("added", "new"), ("removed", "gone")):
        for text in section.get(kind, []):
            yield word, printable(text, 400)


def _seconds(section: dict[str, Any]) -> Iterator[Row]:
    for step, change in section.items():
        ends = (
            "none" if change[end] is None else format_duration(change[end])
            for end in ("old", "new")
        )
        yield step, " -> ".join(ends)


def section_rows(name: str, section: dict[str, Any]) -> Iterator[Row]:
    """A section of a comparison.

    Args:
        name: Of the section.
        section: As `changed_sections` makes it; not empty.

    Yields:
        What, and how it changed.
    """
    yield from _SECTIONS[name](section)


_SECTIONS = {
    "metrics": _changes,
    "classes": _classes,
    "args": _args,
    "hyperparams": _changes,
    "code": _code,
    "packages": _packages,
    "training": _training,
    "strategy": _strategy,
    "warnings": _warnings,
    "seconds": _seconds,
}


def _change(change: dict[str, Any]) -> str:
    told = f"{show(change['old'])} -> {show(change['new'])}"
    difference = change.get("difference")
    if difference is None:
        return told
    sign = "-" if difference < 0 else "+"
    return f"{told}  ({sign}{show(abs(difference))})"


def show(value: Any) -> str:
    """A value, on one line.

    Args:
        value: Plain JSON.
    """
    if isinstance(value, float):
        return f"{value:.3f}" if 0.001 <= abs(value) < 1e6 or value == 0 else f"{value:.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if value is None or isinstance(value, str):
        return printable(value or "none", LONGEST)
    return printable(json.dumps(value, ensure_ascii=False), LONGEST)


def _short(value: Any) -> Any:
    """The first digits of a digest or commit."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value and value[:12]
