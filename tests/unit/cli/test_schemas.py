"""Every command has a published schema of its JSON, or says why it has none."""

from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from alectio_agent.cli.reference import all_commands
from alectio_agent.cli.schemas import OUTPUTS, SILENT, schema, schema_text, schemas_page

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"
COMMANDS = {
    path.partition(" ")[2] for path, found in all_commands() if not isinstance(found, click.Group)
}


def test_every_command_has_a_schema_or_a_reason() -> None:
    """Mend with a line in `OUTPUTS` or `SILENT` of cli/schemas.py, then `make docs`."""
    told = [command.partition(" --")[0] for each in OUTPUTS.values() for command in each.commands]
    assert sorted({*told, *SILENT}) == sorted(COMMANDS)
    twice = [command for each in OUTPUTS.values() for command in each.commands]
    assert len(twice) == len(set(twice))


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_schema_is_one_and_is_published(name: str) -> None:
    """Mend with `make docs`."""
    Draft202012Validator.check_schema(schema(name))
    assert (FOLDER / f"{name}.json").read_text("utf-8") == schema_text(name)
    assert schema(name).get("description") or schema(name).get("$ref"), "it says what it is"


def test_nothing_else_is_published() -> None:
    """Mend with `make docs`."""
    assert {file.stem for file in FOLDER.glob("*.json")} == set(OUTPUTS)
    assert (FOLDER / "README.md").read_text("utf-8") == schemas_page()


def test_members_say_what_their_types_say_of_them() -> None:
    status = schema("status")
    assert status["properties"]["needs_restart"]["description"] == "Both are there, and differ."
    assert "Attributes" not in schema_text("status")
    assert "needs_restart" in status["required"]


def test_what_is_not_printed_is_not_promised() -> None:
    assert "samples" in schema("labels")["properties"]
    assert "samples" not in schema("labels-status")["properties"]
