"""Completes the OpenAPI document: the records, the bearer token, the problem types."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from alectio_agent.hub.api.calls import Call
from alectio_agent.wire.problems import PROBLEM_TYPES, Problem


def complete(document: dict[str, Any], calls: list[Call]) -> dict[str, Any]:
    """Add what the framework cannot know, since bodies are read by hand.

    Args:
        document: As the framework made it.
        calls: Everything that is served.

    Returns:
        The document, complete.
    """
    models: set[type[BaseModel]] = {Problem}
    for call in calls:
        models |= {model for model in (call.takes, call.gives) if model is not None}
    named = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in named],
        ref_template="#/components/schemas/{model}",
    )
    definitions = schemas["$defs"]
    definitions["Problem"]["properties"]["type"]["enum"] = sorted(PROBLEM_TYPES)
    document["components"] = {
        "schemas": dict(sorted(definitions.items())),
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    }
    return document
