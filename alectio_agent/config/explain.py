"""Puts what pydantic found into our words: which key, what was found, what was expected."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alectio_agent.config.kinds import Kind
from alectio_agent.config.nearest import unknown_key
from alectio_agent.config.problems import Code, KeyPath, found
from alectio_agent.core.nearest import nearest
from alectio_agent.core.setting_error import SettingError


@dataclass(frozen=True)
class Complaint:
    """A problem before it has a place.

    Attributes:
        code: What kind of problem.
        path: The key it is about.
        text: What was found and expected.
        depends_on: Other keys that a rule has read.
        meant: Of a misspelt key, the key that was probably meant.
    """

    code: Code
    path: KeyPath
    text: str
    depends_on: tuple[KeyPath, ...] = ()
    meant: KeyPath | None = None


@dataclass(frozen=True)
class _Spot:
    """Where a location of pydantic's lies in the values of the file.

    Attributes:
        path: As far as the file has values, and a last key that it lacks.
        kind: What is expected at the end of the location.
        parent: What is expected one step before.
        reached: What is expected at `path`; differs from `kind` when a validator reshaped the
            value, such as a bare name into a list.
        is_chosen: False for a member of a union that was not meant.
        is_key: Whether it is about a key, not about its value.
    """

    path: KeyPath
    kind: Kind
    parent: Kind
    reached: Kind
    is_chosen: bool = True
    is_key: bool = False


def explain(error: Mapping[str, Any], root: Kind, values: object) -> list[Complaint]:
    """Our words for one error of pydantic's.

    Args:
        error: From `ValidationError.errors()`.
        root: What the whole file should be.
        values: What was validated.

    Returns:
        Complaints; none for a member of a union that was not meant.
    """
    raised = error.get("ctx", {}).get("error")
    spot = _find(tuple(error["loc"]), root, values, is_missing=error["type"] == "missing")
    if not spot.is_chosen:
        return []
    if isinstance(raised, SettingError):
        return [_broken_rule(rule, spot) for rule in (raised, *raised.others)]
    if error["type"] == "missing":
        return [Complaint(Code.MISSING_KEY, spot.path, f"missing; expected {spot.kind.expected()}")]
    if error["type"] == "extra_forbidden":
        return [_unknown_key(spot, root)]
    return [Complaint(Code.WRONG_VALUE, spot.path, _wrong_value(error["input"], raised, spot))]


def _unknown_key(spot: _Spot, root: Kind) -> Complaint:
    key = str(spot.path[-1])
    near = nearest(key, spot.parent.fields)
    meant = (*spot.path[:-1], near) if near else None
    text = unknown_key(key, spot.parent, root)
    return Complaint(Code.UNKNOWN_KEY, spot.path, text, meant=meant)


def _broken_rule(rule: SettingError, spot: _Spot) -> Complaint:
    below = _path(rule.key) if rule.key else ()
    depends_on = tuple((*spot.path, *_path(key)) for key in rule.depends_on)
    code = Code.CONFLICT if rule.depends_on else Code.WRONG_VALUE
    return Complaint(
        Code.MISSING_KEY if rule.is_missing else code,
        (*spot.path, *below),
        rule.message,
        depends_on,
    )


def _path(dotted: str) -> KeyPath:
    return tuple(int(part) if part.isdigit() else part for part in dotted.split("."))


def _wrong_value(value: object, raised: object, spot: _Spot) -> str:
    said = str(raised) if isinstance(raised, ValueError) else ""
    is_union = len(spot.kind.options) > 1
    if said and not said.startswith("expected"):
        return said
    if spot.is_key:
        return f"found the name {found(value)}, {said or f'expected {spot.kind.expected()}'}"
    if said and not is_union:
        return f"found {found(value)}, {said}"
    # Of a reshaped value the outer words fit better than those of a part nobody wrote.
    speaker = spot.kind if spot.kind.words else spot.reached
    text = f"found {found(value)}, expected {speaker.expected()}"
    meant = nearest(value, spot.kind.words) if isinstance(value, str) else None
    if meant:
        return f"{text}. Did you mean `{meant}`?"
    is_free_text = spot.kind.annotation is str and not spot.kind.description
    is_unquoted = isinstance(value, bool | int | float)
    return f"{text}; put it in quotes" if is_free_text and is_unquoted else text


def _find(location: tuple[str | int, ...], root: Kind, value: Any, *, is_missing: bool) -> _Spot:
    spot = _Spot((), root, root, root)
    for at, element in enumerate(location):
        if element == "[key]":
            name = spot.parent.name()
            return _Spot(spot.path, name, spot.parent, name, is_key=True)
        if len(spot.kind.options) > 1:
            member = _member(str(element), spot.kind)
            if not _is_meant(member, spot.kind, value):
                return _Spot(spot.path, spot.kind, spot.parent, spot.kind, is_chosen=False)
            if _shape(value) is None or _shape(value) is not _origin(member):
                break  # no member of this shape but words: those of the whole union say it best
            spot = _Spot(spot.path, member, spot.parent, member)
            continue
        child = spot.kind.child(element) or spot.kind
        if _holds(value, element):
            value = value[element]
            spot = _Spot((*spot.path, element), child, spot.kind, child)
        elif is_missing and at == len(location) - 1:
            spot = _Spot((*spot.path, element), child, spot.kind, child)
        else:
            spot = _Spot(spot.path, child, spot.kind, spot.reached)
    return spot


def _holds(value: Any, element: str | int) -> bool:
    if isinstance(value, dict):
        return element in value
    return isinstance(value, list) and isinstance(element, int) and element < len(value)


def _member(tag: str, union: Kind) -> Kind:
    """The member of a union that pydantic's tag stands for, such as `list[int]` or `Growth`."""
    for option in union.options:
        if option.model and re.search(rf"\b{option.model.__name__}\b", tag):
            return option
    for origin in (list, dict):
        container = union.container(origin)
        if container and tag.startswith(origin.__name__):
            return container
    plain = [option for option in union.options if _origin(option) is None]
    return plain[0] if plain else union.options[0]


def _is_meant(member: Kind, union: Kind, value: object) -> bool:
    """Whether a value of this shape was meant to be this member."""
    shape = _shape(value)
    shapes = [_origin(option) for option in union.options]
    return _origin(member) is (shape if shape in shapes else shapes[0])


def _origin(kind: Kind) -> type | None:
    if kind.model or kind.container(dict):
        return dict
    return list if kind.container(list) else None


def _shape(value: object) -> type | None:
    return next((shape for shape in (dict, list) if isinstance(value, shape)), None)
