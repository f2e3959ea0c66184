"""Finds out which sample each row belongs to, over whole arrays where the keys allow it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Optional

from alectio_agent.agent.hooks.child.keys import match_samples, read_indices
from alectio_agent.agent.hooks.child.plain import is_array, loaded

Order = Optional[Any]
"""Place of each sample's row among those that came; None when they came in order."""


def order_rows(keys: Any, asked: Sequence[int], what: str) -> tuple[Order, bool]:
    """Match the keys of `outputs` with the samples that were asked for.

    Args:
        keys: As the hook gave them: a list, or an array of whole numbers.
        asked: Distinct samples in increasing order.
        what: Where the keys stand, for messages.

    Returns:
        In which order to take the rows so that they belong to `asked` one after the other, and
        whether the keys were positions in `asked`.

    Raises:
        ContractError: Keys that are no indices, come twice, are missing or were not asked for.
    """
    numbers = _as_numbers(keys)
    found = None if numbers is None or len(numbers) != len(asked) else _quickly(numbers, asked)
    if found is not None:
        return found
    # One by one: for keys of other kinds, and for the words when something is wrong.
    samples, are_positions = match_samples(read_keys(keys, what), asked)
    return _order(samples), are_positions


def take(rows: Any, order: Order) -> Any:
    """Rows in an order.

    Args:
        rows: A list or an array.
        order: As `order_rows` gave it.
    """
    if order is None or is_array(rows):
        return rows if order is None else rows[order]
    places = order.tolist() if is_array(order) else order
    return [rows[place] for place in places]


def read_keys(keys: Any, what: str) -> list[int]:
    """Read all keys, one by one.

    Args:
        keys: As the hook gave them.
        what: Where they stand, for messages.

    Raises:
        ContractError: A key is no index, or two mean the same one.
    """
    return read_indices(keys.tolist() if is_array(keys) else keys, what)


def _as_numbers(keys: Any) -> Optional[Any]:
    """The keys in one buffer of 64 bits each; None when they are not all whole numbers."""
    numpy = loaded("numpy", "ndarray")
    if is_array(keys):
        return keys.astype("i8") if keys.ndim == 1 and keys.dtype.kind in "iu" else None
    kinds = set(map(type, keys))
    if not all(kind is int or (numpy and issubclass(kind, numpy.integer)) for kind in kinds):
        return None
    try:
        return array("q", keys)
    except (OverflowError, TypeError):
        return None


def _quickly(numbers: Any, asked: Sequence[int]) -> Optional[tuple[Order, bool]]:
    """The match, when there is one that whole arrays can tell."""
    wanted = asked if isinstance(asked, array) else array("q", asked)
    numpy = loaded("numpy", "array_equal")
    if numpy is None:
        return (None, False) if numbers == wanted else None
    given, expected = numpy.asarray(numbers), numpy.asarray(wanted)
    order = None
    if (given[1:] <= given[:-1]).any():
        order = numpy.argsort(given, kind="stable")
        given = given[order]
    for are_positions, samples in ((False, expected), (True, numpy.arange(len(expected)))):
        if numpy.array_equal(given, samples):
            return order, are_positions
    return None


def _order(samples: Sequence[int]) -> Order:
    order = sorted(range(len(samples)), key=samples.__getitem__)
    return None if order == list(range(len(samples))) else order
