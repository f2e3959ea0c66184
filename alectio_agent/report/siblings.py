"""Runs of one experiment that differ in nothing but the seed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

OWN = ("name", "seed", "control")
"""What two runs of one experiment may differ in."""
MOST_SIBLINGS = 20
"""Enough for a band; the newest ones."""


@dataclass(frozen=True)
class Run:
    """An experiment as its siblings are told by.

    Attributes:
        settings: Its own, with its seed.
        is_control: Controls are siblings of controls only.
        is_cancelled: It is nobody's sibling then.
    """

    name: str
    settings: dict[str, Any]
    is_control: bool
    is_cancelled: bool = False


def sibling_names(name: str, newest_first: Iterable[Run]) -> list[str]:
    """The experiments that run the same with another seed; of each seed the newest.

    Args:
        name: Of the experiment.
        newest_first: All experiments of the hub, it among them.

    Returns:
        Names, the newest first, at most so many as a band needs.
    """
    runs = list(newest_first)
    own = next(run for run in runs if run.name == name)
    found: dict[Any, str] = {}
    for run in runs:
        is_other = _seed(run) != _seed(own) and not run.is_cancelled
        if is_other and _kind(run) == _kind(own):
            found.setdefault(_seed(run), run.name)
    return list(found.values())[:MOST_SIBLINGS]


def _seed(run: Run) -> Any:
    return run.settings.get("seed", 0)


def _kind(run: Run) -> tuple[bool, dict[str, Any]]:
    """What two runs of one experiment have in common."""
    bare = {key: value for key, value in run.settings.items() if key not in OWN}
    return run.is_control, bare
