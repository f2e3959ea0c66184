"""The rules for one image of object detection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.results import Asked

BOX = 4


def check_detection(value: Any, sample: int, asked: Asked, needed: Sequence[str]) -> None:
    """Check what was found on one image.

    Args:
        value: Plain; a dict of lists with an entry per box.
        sample: Index of the image, for messages.
        asked: By the experiment.
        needed: Keys that must be there; of these, `boxes` holds four numbers each and
            `pre_softmax` a score for each class.

    Raises:
        ContractError: A key is missing, or a list has another length.
    """
    if not isinstance(value, dict) or not set(needed) <= value.keys():
        raise ContractError(
            "sample {}: expected a dict with {}".format(sample, ", ".join(needed)),
            "found {}".format(sorted(value) if isinstance(value, dict) else type(value).__name__),
        )
    boxes = _list_of(value, "boxes", sample)
    for name in needed:
        entries = _list_of(value, name, sample)
        if len(entries) != len(boxes):
            raise ContractError(
                "sample {}: {} boxes and {} `{}`; expected as many".format(
                    sample, len(boxes), len(entries), name
                )
            )
        _check_entries(entries, name, sample, asked)


def _check_entries(entries: list[Any], name: str, sample: int, asked: Asked) -> None:
    widths = {"boxes": BOX, "pre_softmax": asked.classes}
    for entry in entries:
        if name in widths:
            width = widths[name]
            is_fine = (
                isinstance(entry, list)
                and (width is None or len(entry) == width)
                and all(_is_number(number) for number in entry)
            )
            expected = "{} numbers".format(width or "some")
        elif name == "objects":
            limit = asked.classes
            is_fine = type(entry) is int and entry >= 0 and (limit is None or entry < limit)
            expected = "a class from 0 to {}".format((limit or 1) - 1 if limit else "n-1")
        else:
            is_fine, expected = _is_number(entry), "a number"
        if not is_fine:
            raise ContractError(
                "sample {}: an entry of `{}` is wrong; expected {}".format(sample, name, expected),
                "found {!r}".format(entry)[:200],
            )


def _list_of(value: dict[str, Any], name: str, sample: int) -> list[Any]:
    found = value[name]
    if isinstance(found, list):
        return found
    raise ContractError("sample {}: `{}` is no list".format(sample, name))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
