"""Turns what hooks return into plain values; numpy and torch are met, never imported."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Optional

PLAIN = (type(None), bool, int, str)
DEEPEST = 64


class NotPlainError(Exception):
    """A value that JSON cannot hold; its text says where inside the value, and why."""


def loaded(name: str, attribute: str) -> Optional[Any]:
    """A module that the user's code has imported.

    Args:
        name: `numpy` or `torch`.
        attribute: Something that only the whole module has.

    Returns:
        The module, None when it is not (or only half) loaded.
    """
    module = sys.modules.get(name)
    return module if hasattr(module, attribute) else None


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of torch."""
    torch = loaded("torch", "Tensor")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: Any) -> bool:
    """Whether it is an array of numpy; its scalars are none."""
    numpy = loaded("numpy", "ndarray")
    return numpy is not None and isinstance(value, numpy.ndarray)


def to_array(value: Any) -> Any:
    """A tensor, or anything that can be seen as an array, as a numpy array.

    Args:
        value: Anything.

    Returns:
        A numpy array when numpy is loaded, nested lists for a tensor otherwise; values of other
        kinds as they are.
    """
    if is_tensor(value):
        return _tensor_to_array(value)
    numpy = loaded("numpy", "asarray")
    if numpy is None or isinstance(value, (str, bytes, list, tuple, Mapping, numpy.generic)):
        return value
    return numpy.asarray(value) if hasattr(value, "__array__") else value


def to_plain(value: Any, *, replace: bool = False, path: str = "", depth: int = 0) -> Any:
    """A value as JSON can hold it.

    Args:
        value: Anything that a hook returned.
        replace: Put None in the place of NaN and infinities instead of refusing them.
        path: Where it stands, for messages.
        depth: How deep it stands.

    Returns:
        None, bool, int, float, str, and lists and dicts of them.

    Raises:
        NotPlainError: NaN, an infinity, too deep, or an object of another kind.
    """
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _not_finite(value, path, replace)
    if depth > DEEPEST:
        raise NotPlainError("{}: nested more than {} deep".format(path or "value", DEEPEST))
    if isinstance(value, Mapping):
        return {
            _key(key, path): to_plain(
                item, replace=replace, path=_inside(path, str(key)), depth=depth + 1
            )
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [
            to_plain(item, replace=replace, path=_inside(path, str(place)), depth=depth + 1)
            for place, item in enumerate(value)
        ]
    return to_plain(_unpack(value, path), replace=replace, path=path, depth=depth + 1)


def _unpack(value: Any, path: str) -> Any:
    """The plain values in an array, tensor, scalar or path."""
    found = to_array(value)
    unpack = getattr(found, "tolist", None)
    if callable(unpack):
        return unpack()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise NotPlainError(
        "{}: a {} is no number, text, list or dict".format(path or "value", type(value).__name__)
    )


def _tensor_to_array(tensor: Any) -> Any:
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # numpy has no bfloat16
    if loaded("numpy", "ndarray") is None:
        return tensor.tolist()
    try:
        return tensor.numpy()
    except (RuntimeError, TypeError):  # torch was built without numpy, or for another one
        return tensor.tolist()


def _not_finite(value: float, path: str, replace: bool) -> None:  # noqa: FBT001 - one caller
    if not replace:
        raise NotPlainError("{}: {} is not finite".format(path or "value", value))


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, (bool, float)) or not hasattr(key, "__index__"):
        raise NotPlainError("{}: a {} as a key".format(path or "value", type(key).__name__))
    return str(key.__index__())


def _inside(path: str, word: str) -> str:
    return "{}.{}".format(path, word[:80]) if path else word[:80]
