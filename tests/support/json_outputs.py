"""Holds what commands print with --json against the schemas that are published."""

from typing import Any

from jsonschema import Draft202012Validator

from alectio_agent.cli.schemas import OUTPUTS, schema, schema_of


def check_output(command: str, printed: Any) -> None:
    """Fail where it differs, also by a member that the schema does not name.

    A published schema lets others through, since later versions may add some.
    """
    name = schema_of(command)
    assert name is not None, f"{command}: no schema; add it to OUTPUTS in cli/schemas.py"
    validator = Draft202012Validator(
        closed(schema(name)), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    values = printed if OUTPUTS[name].are_lines else [printed]
    for value in values:
        found = [
            f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)
        ]
        assert not found, f"{command} ({name}.json): {found[:5]}"


def closed(made: Any) -> Any:
    """A schema that lets no other member through."""
    if isinstance(made, list):
        return [closed(each) for each in made]
    if not isinstance(made, dict):
        return made
    told = {name: closed(each) for name, each in made.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        told.setdefault("additionalProperties", False)
    return told
