"""Completes the OpenAPI document: records, the bearer token, problem types, examples."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from alectio_agent.hub.api.calls import Call
from alectio_agent.hub.api.examples import EXAMPLES, Example
from alectio_agent.wire.problem_notes import PROBLEM_NOTES
from alectio_agent.wire.problems import PROBLEM_TYPES, Problem
from alectio_agent.wire.protocol import JSON_MEDIA_TYPE


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
    definitions["Problem"] = _problem(definitions["Problem"])
    document["components"] = {
        "schemas": dict(sorted(definitions.items())),
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    }
    for path in document["paths"].values():
        for call in path.values():
            if example := EXAMPLES.get(call["operationId"]):
                _illustrate(call, example)
    return document


def _problem(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a problem with the members that some types bring along."""
    more: dict[str, Any] = {"code": {"description": "Of a message for people.", "type": "string"}}
    for name, note in PROBLEM_NOTES.items():
        for member, meaning in note.members.items():
            more[member] = {"description": f"Of `{name}`: {meaning}."}
    properties = {**schema["properties"], **more}
    properties["type"] = {**properties["type"], "enum": sorted(PROBLEM_TYPES)}
    described = "Each type is told in docs/problems.md; members that are not known are ignored."
    return {**schema, "properties": properties, "description": described}


def _illustrate(call: dict[str, Any], example: Example) -> None:
    """Write an example beside the schemas of a call."""
    if example.asked is not None:
        call["requestBody"]["content"][JSON_MEDIA_TYPE]["example"] = example.asked
    for status, told in example.answers.items():
        for content in call["responses"][str(status)]["content"].values():
            content["example"] = told
    for parameter in call["parameters"]:
        if parameter["name"] in example.values:
            parameter["example"] = example.values[parameter["name"]]
