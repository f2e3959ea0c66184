"""Which fields of a record on the wire hold something: their names, never their values."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

INLINE = ("rows", "labels", "label_counts", "hyperparams")
"""All that an inline result may hold; what else is in there has a name that users chose."""
OTHER = "other"


def field_names(record: BaseModel) -> tuple[str, ...]:
    """The fields that are not empty, those of records within with a dot between.

    Keys of dicts are not named: users choose them, and they may be data.

    Args:
        record: As it is about to leave.
    """
    return tuple(dict.fromkeys(_walk(record, "")))


def _walk(record: BaseModel, before: str) -> Iterator[str]:
    known = type(record).model_fields
    for name, value in record:
        if value is None or (isinstance(value, list | dict | str) and not value):
            continue
        path = f"{before}{known[name].alias or name}"
        if path == "inline":
            yield from _inline(value)
        elif isinstance(value, BaseModel):
            yield from _walk(value, f"{path}.")
        elif isinstance(value, list) and isinstance(value[0], BaseModel):
            for each in value:
                yield from _walk(each, f"{path}.")
        else:
            yield path


def _inline(value: dict[str, Any]) -> Iterator[str]:
    for key in value:
        yield f"inline.{key if key in INLINE else OTHER}"
