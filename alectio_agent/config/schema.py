"""JSON Schemas of the two files, with the descriptions that their models' docstrings hold."""

import inspect
import re
from typing import Any

from pydantic import BaseModel

from alectio_agent.config.kinds import Kind
from alectio_agent.config.values import DURATION_SCHEMA
from alectio_agent.core.units import write_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+?)(?=^ {0,4}\S|\Z)", re.MULTILINE | re.DOTALL)


def schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of a file.

    Args:
        model: Of the whole file.
        title: Name of the file.

    Returns:
        JSON Schema, draft 2020-12. What depends on several keys at once is not in it.
    """
    made = model.model_json_schema()
    for each in models_of(Kind.of(model)):
        found = made if each is model else made["$defs"][each.__name__]
        _describe(found, each)
    _drop_titles(made)
    return {"$schema": DIALECT, "title": title, **made}


def models_of(kind: Kind) -> set[type[BaseModel]]:
    """Every model that a file is made of.

    Args:
        kind: Of the file.
    """
    found: set[type[BaseModel]] = set()
    for option in kind.options:
        if option.model is not None:
            found.add(option.model)
        below = [*option.fields.values()]
        below += [
            each for each in (option.container(dict) and option.child(""), option.child(0)) if each
        ]
        for child in below:
            found |= models_of(child)
    return found


def described(model: type[BaseModel]) -> dict[str, str]:
    """What the section `Attributes` of a model's docstring says.

    Args:
        model: With a docstring.

    Returns:
        Name of each key to its description, on one line.
    """
    _, _, attributes = inspect.cleandoc(model.__doc__ or "").partition("\nAttributes:\n")
    return {
        name: re.sub(r"\bNone\b", "null", " ".join(text.split()))  # as in YAML
        for name, text in _ATTRIBUTE.findall(attributes)
    }


def _describe(found: dict[str, Any], model: type[BaseModel]) -> None:
    found["description"] = inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0]
    words = described(model)
    for name, field in found.get("properties", {}).items():
        if name in words:
            field["description"] = words[name]
        if field.get("examples") == DURATION_SCHEMA["examples"] and field.get("default"):
            field["default"] = write_duration(field["default"])


def _drop_titles(value: Any) -> None:
    """They only repeat the names of the keys."""
    if isinstance(value, list):
        for each in value:
            _drop_titles(each)
    if isinstance(value, dict):
        if isinstance(value.get("title"), str):
            del value["title"]
        for each in value.values():
            _drop_titles(each)
