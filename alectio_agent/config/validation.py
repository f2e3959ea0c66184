"""Validates values against a model until every problem is known, not only the first layer.

pydantic runs the rules that tie keys together only once every key by itself is right. So after a
failed round what was wrong is taken out, or stood in for where it is required, and the rest is
validated again. A rule that depends on a key already complained about is not believed.
"""

import copy
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from alectio_agent.config.explain import Complaint, explain
from alectio_agent.config.kinds import Kind
from alectio_agent.config.problems import Code, KeyPath
from alectio_agent.config.values import Surroundings

Settings = TypeVar("Settings", bound=BaseModel)

# Rules hide each other two or three deep; every further round costs a millisecond.
_ROUNDS = 6
_STAND_INS: dict[Any, tuple[Any, ...]] = {int: (2,), float: (1.0, 2.0), bool: (False,)}
_TEXTS = ("x", "x:x")


def validate(
    model: type[Settings], values: dict[str, Any], context: Surroundings
) -> tuple[Settings | None, list[Complaint]]:
    """Validate, strictly: no text is read as a number, no bool as an integer.

    Args:
        model: What the file should be.
        values: The file's, with environment and flags over them.
        context: For paths and defaults.

    Returns:
        The settings, and every complaint: with any, the settings are those without what is wrong,
        or None when nothing can be made of the rest.
    """
    root = Kind.of(model)
    complaints: list[Complaint] = []
    doubtful: list[KeyPath] = []
    rest = fill_empty(root, values)
    for _ in range(_ROUNDS):
        try:
            settings = model.model_validate(rest, strict=True, context=context)
        except ValidationError as error:
            raised = error.errors(include_url=False)
            round_of = [new for each in raised for new in explain(each, root, rest)]
        else:
            return settings, _without_echoes(complaints)
        fresh = [new for new in round_of if not _depends_on(new, doubtful)]
        rest = copy.deepcopy(rest)
        for complaint in round_of:
            # What comes back after it was taken out hangs on something beside it: take out more.
            path = complaint.path if complaint in fresh else complaint.path[:-1]
            if path:
                _take_out(rest, path, root)
                doubtful.append(path)
        complaints += fresh
    return None, _without_echoes(complaints)


def fill_empty(kind: Kind, value: Any) -> Any:
    """Read `section:` with nothing below it (all commented out) as an empty section.

    Args:
        kind: What is expected.
        value: As in the file.

    Returns:
        The value, with empty mappings and lists for such nulls.
    """
    if len(kind.options) > 1:
        return value
    if value is None and not kind.accepts_null:
        if kind.model or kind.container(dict):
            return {}
        return [] if kind.container(list) else None
    if isinstance(value, dict) and (kind.model or kind.container(dict)):
        return {
            key: fill_empty(kind.child(key) or Kind(Any), child) for key, child in value.items()
        }
    return value


def _without_echoes(complaints: list[Complaint]) -> list[Complaint]:
    """A misspelt key is one mistake: that the right one is missing goes without saying."""
    meant = {complaint.meant for complaint in complaints if complaint.meant}
    return [
        each for each in complaints if each.code is not Code.MISSING_KEY or each.path not in meant
    ]


def _depends_on(new: Complaint, doubtful: list[KeyPath]) -> bool:
    read = (new.path, *new.depends_on)
    return any(_overlap(path, old) for path in read for old in doubtful)


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _take_out(values: dict[str, Any], path: KeyPath, root: Kind) -> None:
    """Remove the nearest key of a model above a problem, or stand in for a required one."""
    for container, kind, key in reversed(_chain(path, values, root)):
        if not isinstance(container, dict):
            continue
        child = kind.child(key)
        if child is None or (key in kind.fields and not child.is_required):
            container.pop(key, None)
            return
        stand_in = _stand_in(child)
        if stand_in is not None:
            # In a free mapping the name itself may be what is wrong.
            container.pop(key, None)
            container[key if key in kind.fields else "x"] = stand_in
            return


def _chain(path: KeyPath, values: Any, root: Kind) -> list[tuple[Any, Kind, Any]]:
    """Each container on the way to a value, what is expected of it, and the key that leads on."""
    chain = []
    kind = root
    for key in path:
        chain.append((values, kind, key))
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            break
        kind = kind.child(key) or Kind(Any)
    return chain


def _stand_in(kind: Kind) -> Any:
    """The simplest value that is right; None when there is none."""
    option = kind.options[0]
    if option.words:
        return option.words[0]
    if option.model:
        required = {name: each for name, each in option.fields.items() if each.is_required}
        return {name: _stand_in(each) for name, each in required.items()}
    if option.container(list):
        return [_stand_in(option.child(0) or Kind(str))]
    if option.container(dict):
        return {"x": _stand_in(option.child("") or Kind(str))}
    if option.annotation in _STAND_INS:
        return _STAND_INS[option.annotation][-1]
    return next((text for text in _TEXTS if re.search(option.pattern, text)), None)
