"""Indices that a hook returned: which keys are indices, and which samples they mean."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any, Optional

from alectio_agent.agent.hooks.child.failures import ContractError

SHOWN = 10
DECIMAL = re.compile(r"0|[1-9][0-9]{0,17}")


def as_index(key: Any) -> Optional[int]:
    """Read one key.

    Args:
        key: Anything.

    Returns:
        The index of an int, a numpy int or a decimal string; None for all else, bools and floats
        among them.
    """
    if type(key) is int:
        return key if key >= 0 else None
    if isinstance(key, str):
        return int(key) if DECIMAL.fullmatch(key) else None
    if isinstance(key, bool) or "bool" in str(getattr(key, "dtype", "")):
        return None
    try:
        index = operator.index(key)
    except (TypeError, ValueError, RuntimeError):
        return None
    return index if index >= 0 else None


def read_indices(keys: Iterable[Any], what: str) -> list[int]:
    """Read all keys of a result.

    Args:
        keys: As the hook gave them.
        what: Where they stand, for messages.

    Returns:
        Indices in the same order.

    Raises:
        ContractError: A key is no index, or two mean the same one.
    """
    given = list(keys)
    found = [as_index(key) for key in given]
    indices = [index for index in found if index is not None]
    if len(indices) < len(found):
        wrong = [key for key, index in zip(given, found) if index is None]
        raise ContractError(
            "{:,} of {:,} keys of {} are no indices; expected ints zero or more, numpy ints or "
            "decimal strings".format(len(wrong), len(found), what),
            "found {}".format(name_some([repr(key)[:80] for key in wrong])),
        )
    if len(set(indices)) < len(indices):
        raise ContractError(
            "{} holds indices twice (3 and '3' are the same): {}".format(what, _repeated(indices))
        )
    return indices


def match_samples(indices: list[int], asked: Sequence[int]) -> tuple[list[int], bool]:
    """Find out which samples the keys of `outputs` mean; never by the order in which rows come.

    Args:
        indices: Distinct keys.
        asked: Distinct indices in increasing order: the payload's `unlabeled`.

    Returns:
        The sample of each key, and whether the keys were positions in `asked`.

    Raises:
        ContractError: Keys are missing, or were not asked for.
    """
    given, wanted = set(indices), set(asked)
    if given == wanted:
        return indices, False
    if len(indices) == len(asked) and given == set(range(len(asked))):
        return [asked[position] for position in indices], True
    missing, unasked = sorted(wanted - given), sorted(given - wanted)
    raise ContractError(
        "{} of {:,} rows missing{}; {} unasked{}. Return one row for each index in "
        'payload["unlabeled"]{}'.format(
            format(len(missing), ","),
            len(asked),
            _listed(missing),
            format(len(unasked), ","),
            _listed(unasked),
            " (drop_last=True in a DataLoader does this)" if missing and not unasked else "",
        ),
        code="E-HOOK-04",
    )


def name_some(items: Sequence[Any]) -> str:
    """Name the first ten of many.

    Args:
        items: What to name.

    Returns:
        Such as `3, 17, 90` or `0, 1, ..., 9 and 25 more`.
    """
    shown = ", ".join(str(item) for item in items[:SHOWN])
    more = len(items) - SHOWN
    return "{} and {:,} more".format(shown, more) if more > 0 else shown


def _listed(items: Sequence[int]) -> str:
    return ": " + name_some(items) if items else ""


def _repeated(indices: list[int]) -> str:
    ordered = sorted(indices)
    twice = [later for earlier, later in zip(ordered, ordered[1:]) if earlier == later]
    return name_some(sorted(set(twice)))
