"""What a model expects at each key: its children, and how to say it to a person."""

import functools
import operator
import re
import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_NAME = re.compile(r"\^\[A-Za-z0-9\]\[A-Za-z0-9\._-\]\{0,(\d+)\}\$")
_PLAIN = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    Any: "a value",
}


@dataclass(frozen=True)
class Kind:
    """A type as a model declares it.

    Attributes:
        annotation: Without `Annotated` and `| None`.
        metadata: What `Annotated` and `Field` added: bounds, patterns, a description.
        is_required: Whether a model has no default for it.
        accepts_null: Whether null is a value.
    """

    annotation: Any
    metadata: tuple[Any, ...] = ()
    is_required: bool = False
    accepts_null: bool = False

    @classmethod
    def of(cls, annotation: Any, metadata: tuple[Any, ...] = ()) -> Self:
        """A kind from an annotation.

        Args:
            annotation: As written in a model, or the model itself.
            metadata: What is known besides.

        Returns:
            The kind.
        """
        if get_origin(annotation) is Annotated:
            inner, *added = get_args(annotation)
            return cls.of(inner, (*metadata, *added))
        members = _members(annotation)
        if type(None) in members:
            rest = [part for part in members if part is not type(None)]
            found = cls.of(functools.reduce(operator.or_, rest), metadata)
            return replace(found, accepts_null=True)
        return cls(annotation, tuple(_flat(metadata)))

    @classmethod
    def of_field(cls, field: FieldInfo) -> Self:
        """The kind of a model's field.

        Args:
            field: As pydantic keeps it.

        Returns:
            The kind.
        """
        return replace(cls.of(field.annotation, (field,)), is_required=field.is_required())

    @property
    def options(self) -> tuple["Kind", ...]:
        """The members of a union; the kind itself when it is none."""
        members = _members(self.annotation)
        parts = (Kind.of(part) for part in members)
        return tuple(option for part in parts for option in part.options) if members else (self,)

    @property
    def model(self) -> type[BaseModel] | None:
        """The model among the options."""
        for option in self.options:
            if isinstance(option.annotation, type) and issubclass(option.annotation, BaseModel):
                return option.annotation
        return None

    @property
    def fields(self) -> dict[str, "Kind"]:
        """Keys of the model among the options."""
        known = self.model.model_fields if self.model else {}
        return {name: Kind.of_field(field) for name, field in known.items()}

    @property
    def is_text(self) -> bool:
        """Whether a text can be a value: `str`, a path, one of several words."""
        return any(
            option.annotation in (str, Path) or get_origin(option.annotation) is Literal
            for option in self.options
        )

    def container(self, origin: type) -> "Kind | None":
        """The list or mapping among the options.

        Args:
            origin: `list` or `dict`.

        Returns:
            The option; None when there is none.
        """
        return next(
            (option for option in self.options if get_origin(option.annotation) is origin), None
        )

    def child(self, key: str | int) -> "Kind | None":
        """What is expected at a key of a mapping, or in a list.

        Args:
            key: Name or position.

        Returns:
            The kind; None when nothing may stand there.
        """
        field = self.model.model_fields.get(str(key)) if self.model else None
        if field is not None:
            return Kind.of_field(field)
        found = self.container(list if isinstance(key, int) else dict)
        return None if found is None else Kind.of(get_args(found.annotation)[-1])

    def name(self) -> "Kind":
        """What is expected of the keys of a free mapping."""
        found = self.container(dict)
        return Kind(str) if found is None else Kind.of(get_args(found.annotation)[0])

    @property
    def description(self) -> str:
        """The model's own words for this kind; empty when it has none."""
        return next((str(part) for part in self._extras("description")), "")

    @property
    def words(self) -> tuple[str, ...]:
        """The words of all `Literal` options."""
        literals = [option for option in self.options if get_origin(option.annotation) is Literal]
        return tuple(str(word) for option in literals for word in get_args(option.annotation))

    @property
    def pattern(self) -> str:
        """The pattern that a text must match; empty when there is none."""
        return next((str(part) for part in self._extras("pattern")), "")

    def expected(self) -> str:
        """What to write here, as a person would say it."""
        if self.description:
            return self.description
        texts = [option.expected_here() for option in self.options]
        if self.words and self.accepts_null:
            texts.append("null")
        return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"

    def expected_here(self) -> str:
        """As `expected`, for a kind that is no union."""
        if self.description:
            return self.description
        if self.words:
            return (
                f"the word {self.words[0]}"
                if len(self.words) == 1
                else f"one of {', '.join(self.words)}"
            )
        if self.model:
            return f"a mapping with {_keys(list(self.fields))}"
        if self.container(list):
            item = self.child(0) or Kind(Any)
            return f"a list, each entry {item.expected()}"
        if self.container(dict):
            return "a mapping"
        name = _NAME.fullmatch(self.pattern)
        if name:
            return (
                f"a name of 1 to {int(name[1]) + 1} letters, digits, '.', '_' and '-' that begins "
                "with a letter or digit"
            )
        return f"{_PLAIN.get(self.annotation, 'a value')}{self._bounds()}"

    def _bounds(self) -> str:
        low = next(iter(self._extras("gt")), None)
        floor = next(iter(self._extras("ge")), None)
        ceiling = next(iter(self._extras("le")), None)
        if self.annotation is int and low is not None:
            floor, low = low + 1, None
        parts = [
            *([f"above {low:g}"] if low is not None else []),
            *([f"of {floor:g} or more"] if floor is not None else []),
            *([f"at most {ceiling:g}"] if ceiling is not None else []),
        ]
        return f" {' and '.join(parts)}" if parts else ""

    def _extras(self, name: str) -> list[Any]:
        values = [getattr(part, name, None) for part in self.metadata]
        return [value for value in values if value is not None]


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else ()


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    """A `FieldInfo` keeps its bounds in a list of its own."""
    parts: list[Any] = []
    for part in metadata:
        parts.append(part)
        if isinstance(part, FieldInfo):
            parts += _flat(tuple(part.metadata))
    return parts


def _keys(names: list[str]) -> str:
    if len(names) == 1:
        return f"the key {names[0]}"
    return f"the keys {', '.join(names[:-1])} and {names[-1]}"
