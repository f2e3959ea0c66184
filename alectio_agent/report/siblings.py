"""Runs of one experiment that differ in nothing but the seed."""

from collections.abc import Iterable
from typing import Any

OWN = ("name", "seed", "control")
"""What two runs of one experiment may differ in."""


def sibling_names(name: str, settings: dict[str, Any], all_: Iterable[dict[str, Any]]) -> list[str]:
    """The experiments that run the same with another seed.

    Args:
        name: Of the experiment.
        settings: Its own.
        all_: Settings of all experiments, their `name` among them.

    Returns:
        Names, in order.
    """
    bare = bare_settings(settings)
    return sorted(
        str(each["name"])
        for each in all_
        if each["name"] != name
        and each.get("seed") != settings.get("seed")
        and bare_settings(each) == bare
    )


def bare_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """What two runs of one experiment have in common.

    Args:
        settings: Of either.
    """
    return {key: value for key, value in settings.items() if key not in OWN}
