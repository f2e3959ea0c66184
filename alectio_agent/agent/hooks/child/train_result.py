"""Checks what `train` returned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alectio_agent.agent.hooks.child.constants import INLINE_BYTES
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some, read_indices
from alectio_agent.agent.hooks.child.label_counts import count_labels
from alectio_agent.agent.hooks.child.plain import NotPlainError, to_plain
from alectio_agent.agent.hooks.child.results import Asked, Notice, Result

KNOWN = ("labels", "hyperparams")
SHAPE = 'None, or {"labels": ..., "hyperparams": {...}}'


def check_train(returned: Any, asked: Asked) -> Result:
    """Check the result of `train` against the contract.

    Args:
        returned: By the hook.
        asked: By the experiment.

    Returns:
        A result without rows; what is too large to travel with it is left out, with a notice. In
        the place of labels there is then how many there are of each class.

    Raises:
        ContractError: It is neither None nor a dict, or holds something that JSON cannot.
    """
    if returned is None:
        return Result([], inline={})
    if not isinstance(returned, Mapping):
        raise ContractError("returned a {}; expected {}".format(type(returned).__name__, SHAPE))
    notices = _unknown(returned)
    inline: dict[str, Any] = {}
    left_bytes = INLINE_BYTES - 100
    for name in ("hyperparams", "labels"):
        value = returned.get(name)
        if value is None:
            continue
        plain = _hyperparams(value, notices) if name == "hyperparams" else _labels(value)
        size = len(json.dumps(plain))
        if size < left_bytes:
            inline[name] = plain
            left_bytes -= size
            continue
        counts = count_labels(plain, asked) if name == "labels" else None
        if counts is not None and len(json.dumps(counts)) < left_bytes:
            inline["label_counts"] = counts
            notices.append(_counted(size))
        else:
            notices.append(_too_large(name, size))
    return Result([], inline=inline, notices=tuple(notices))


def _hyperparams(value: Any, notices: list[Notice]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError("`hyperparams` is a {}; expected a dict".format(type(value).__name__))
    try:
        plain: dict[str, Any] = to_plain(value, replace=True)
    except NotPlainError as error:
        raise ContractError("`hyperparams` cannot be sent", str(error)) from None
    # A model is not thrown away because its last loss is NaN; JSON has no word for that.
    if plain != _with_nan(value):
        notices.append(Notice("nan", "NaN and infinities in `hyperparams` became null"))
    return plain


def _with_nan(value: Any) -> Any:
    try:
        return to_plain(value)
    except NotPlainError:
        return None


def _labels(value: Any) -> Any:
    keys = read_indices(value, "`labels`") if isinstance(value, Mapping) else None
    try:
        plain = to_plain(list(value.values()) if isinstance(value, Mapping) else value)
    except NotPlainError as error:
        raise ContractError("`labels` cannot be sent", str(error)) from None
    if not isinstance(plain, list):
        raise ContractError(
            "`labels` is a {}; expected a list or {{index: label}}".format(type(value).__name__)
        )
    return plain if keys is None else {str(key): item for key, item in zip(keys, plain)}


def _unknown(returned: Mapping[Any, Any]) -> list[Notice]:
    unknown = [repr(key)[:80] for key in returned if key not in KNOWN]
    if not unknown:
        return []
    text = "train returned keys that nothing reads: {}; expected {}".format(
        name_some(unknown), SHAPE
    )
    return [Notice("unknown", text, is_once=True)]


def _counted(size: int) -> Notice:
    text = (
        "`labels` of train take {:,} bytes as JSON; more than {:,} do not travel, so only how many "
        "there are of each class was sent"
    )
    return Notice("large labels", text.format(size, INLINE_BYTES), is_once=True)


def _too_large(name: str, size: int) -> Notice:
    return Notice(
        "large " + name,
        "`{}` of train takes {:,} bytes as JSON and was left out; expected less than {:,}".format(
            name, size, INLINE_BYTES
        ),
        is_once=True,
    )
