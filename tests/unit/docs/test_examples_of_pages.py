"""What pages show to be copied is right: configurations fit their schema, commands exist."""

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from alectio_agent.cli.reference import all_commands
from alectio_agent.config.schema import schema_of
from alectio_agent.config.settings import AgentFile
from tests.support.pages import DOCS, ROOT, all_pages

COMMANDS = dict(all_commands())
PAGES = {str(page.relative_to(ROOT)): page for page in all_pages() if page.name != "decisions.md"}
TYPED = re.compile(r"(?:`|^|[ (/])alectio-agent ([a-z][^`\n|;#]*)", re.M)
COMMON = {"-c", "--config", "--json", "-q", "--quiet", "--debug", "-h", "--help"}
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


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_page_exists_with_its_options(name: str) -> None:
    for line in commands_shown(PAGES[name]):
        words = line.split()
        path = "alectio-agent"
        while words and f"{path} {words[0]}" in COMMANDS:
            path = f"{path} {words.pop(0)}"
        assert path != "alectio-agent", line
        known = {option for found in COMMANDS[path].params for option in found.opts} | COMMON
        assert {word for word in words if word.startswith("-")} <= known, line


def commands_shown(page: Path) -> list[str]:
    """What follows `alectio-agent` in lines to type and in code within sentences."""
    text = page.read_text("utf-8")
    lines = re.findall(r"^(?: {4,}|(?=alectio-agent ))(\S.*)$", text, re.M)
    shown = [*lines, *re.findall(r"`(alectio-agent [^`\n]+)`", text)]
    return [re.sub("['\")\\]>.:]", " ", typed) for line in shown for typed in TYPED.findall(line)]
