"""What differs between two plain values, by the way to it."""

from collections.abc import Mapping
from typing import Any


def pair(old: Any, new: Any) -> dict[str, Any]:
    """A change.

    Args:
        old: Value before.
        new: Value after; of two numbers the difference is given too.
    """
    found = {"old": old, "new": new}
    if _is_number(old) and _is_number(new):
        found["difference"] = new - old
    return found


def differing(old: Any, new: Any) -> dict[str, dict[str, Any]]:
    """All places at which two values differ.

    Args:
        old: Plain JSON.
        new: Plain JSON.

    Returns:
        A change by its place, such as `optimizer.lr`; lists are compared whole. What is not there
        counts as None.
    """
    before, after = flat(old), flat(new)
    return {
        place: pair(before.get(place), after.get(place))
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    }


def sorted_out(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Which names came, went, or have another value.

    Args:
        old: Value by name.
        new: Value by name.

    Returns:
        `changed`, `added` and `removed`, each only when there are any.
    """
    found = {
        "changed": {
            name: pair(old[name], new[name])
            for name in sorted(old.keys() & new.keys())
            if old[name] != new[name]
        },
        "added": {name: new[name] for name in sorted(new.keys() - old.keys())},
        "removed": {name: old[name] for name in sorted(old.keys() - new.keys())},
    }
    return {kind: names for kind, names in found.items() if names}


def flat(value: Any, place: str = "") -> dict[str, Any]:
    """All values inside a value, by the way to them.

    Args:
        value: Plain JSON.
        place: The way to the value itself.

    Returns:
        Such as `{"optimizer.lr": 0.1}`; lists are one value.
    """
    if not isinstance(value, dict) or (place and not value):
        return {} if not place and value is None else {place or "value": value}
    found: dict[str, Any] = {}
    for name, inside in value.items():
        found |= flat(inside, f"{place}.{name}" if place else str(name))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
