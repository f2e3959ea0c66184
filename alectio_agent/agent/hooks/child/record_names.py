"""What the `state` hook says: a name for each record of the pool."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.child.failures import ContractError, DiskError, clean
from alectio_agent.agent.hooks.child.keys import name_some, read_indices
from alectio_agent.agent.hooks.child.plain import NotPlainError, to_plain


def write_names(returned: Any, file: Path) -> int:
    """Check what `state` returned, and write the names: one JSON string a line, in index order.

    Args:
        returned: By the hook.
        file: Is replaced.

    Returns:
        Number of names.

    Raises:
        ContractError: No dict with the keys 0..n-1 and a name for each.
        DiskError: The file cannot be written.
    """
    if not isinstance(returned, Mapping):
        raise ContractError(
            "returned a {}; expected {{index: record name}}".format(type(returned).__name__)
        )
    indices = read_indices(returned, "the names")
    missing = sorted(set(range(len(indices))) - set(indices))
    if missing:
        raise ContractError(
            "indices are not 0..{:,}: missing {}".format(len(indices) - 1, name_some(missing))
        )
    names = dict(zip(indices, returned.values()))
    try:
        with file.open("w", encoding="ascii") as stream:
            for index in range(len(names)):
                stream.write(json.dumps(_name(names[index], index)) + "\n")
    except OSError as error:
        raise DiskError(file, error) from None
    return len(names)


def _name(value: Any, index: int) -> str:
    try:
        plain = os.fspath(value) if isinstance(value, os.PathLike) else to_plain(value)
    except NotPlainError:
        plain = None
    if isinstance(plain, bool) or not isinstance(plain, (str, int)):
        raise ContractError(
            "the name of index {} is a {}; expected a text".format(index, type(value).__name__)
        )
    return clean(str(plain))
