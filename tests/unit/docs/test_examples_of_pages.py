"""What pages show to be copied is right: configurations fit their schema, commands exist."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from alectio_agent.cli.reference import all_commands
from alectio_agent.config.schema import schema_of
from alectio_agent.config.settings import AgentFile
from tests.support.pages import DOCS

COMMANDS = dict(all_commands())
GUIDES = (
    "../README.md",
    "proxies.md",
    "gpu-and-conda.md",
    "several-agents.md",
    "upgrade.md",
    "tutorial.md",
    "exit-codes.md",
    "failure-classes.md",
    "what-happens-when.md",
)
"""Pages that show commands to type, each with its own options."""
SHORTEST = {"pipelines": {"x": {"hooks": "processes.py"}}}


@pytest.mark.parametrize("name", ["proxies.md", "gpu-and-conda.md", "several-agents.md"])
def test_every_configuration_of_a_guide_fits_the_schema(name: str) -> None:
    page = DOCS / name
    blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```$", page.read_text("utf-8"), re.M | re.S)
    validator = Draft202012Validator(schema_of(AgentFile, "agent.yaml"))
    assert blocks
    for _, block in blocks:
        shown = SHORTEST | yaml.safe_load(block)
        assert [error.message for error in validator.iter_errors(shown)] == [], block


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_of_a_guide_exists_with_its_options(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    typed = re.findall(r"alectio-agent ([a-z][^`\n|;#]*)", text)
    assert typed
    for line in typed:
        words = line.split()
        path = "alectio-agent"
        while words and f"{path} {words[0]}" in COMMANDS:
            path = f"{path} {words.pop(0)}"
        assert path in COMMANDS, line
        assert path != "alectio-agent", line
        known = {option for found in COMMANDS[path].params for option in found.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
