"""`config schema`: what an editor knows about the two files."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from tests.support.config_files import read_as_editors_do

FILES = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))


def schema(name: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["config", "schema", name])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def errors(name: str, text: str) -> list[str]:
    checker = jsonschema.Draft202012Validator(schema(name))
    return [error.message for error in checker.iter_errors(read_as_editors_do(text))]


def properties(value: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        return [pair for each in value for pair in properties(each)]
    if not isinstance(value, dict):
        return []
    own = list(value["properties"].items()) if isinstance(value.get("properties"), dict) else []
    return own + [pair for each in value.values() for pair in properties(each)]


@pytest.mark.parametrize("name", ["agent", "experiment"])
def test_it_is_a_schema_of_the_newest_draft(name: str) -> None:
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["title"] == f"{name}.yaml"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_ready_files_fit(file: Path) -> None:
    assert errors(file.stem.split("-")[0], file.read_text()) == []


def test_without_a_name_it_is_that_of_the_agent() -> None:
    assert json.loads(CliRunner().invoke(main, ["config", "schema"]).stdout) == schema("agent")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("agent", "pipelines: {x: {hooks: p.py, pyhton: y}}"),
        ("agent", "pipelines: {}"),
        ("agent", "pipelines: {x: {hooks: p.py}}\nlogging: {level: loud}"),
        ("agent", "pipelines: {x: {hooks: p.py, pool_size: many}}"),
        ("agent", "experiment: e.yaml"),
        ("experiment", "name: a/b\nbatch: 1\nloops: 1"),
        ("experiment", "name: a\nbatch: 1\nloops: 1\nstrategy: cleverest"),
        ("experiment", "name: a\nbatch: 0\nloops: 1"),
    ],
)
def test_mistakes_do_not_fit(name: str, text: str) -> None:
    assert errors(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("agent", "pipelines: {x: {hooks: p.py, keep_warm: forever, env: {N: 4}}}"),
        ("agent", "pipelines: {x: {hooks: p.py}}\nagent: {drain_timeout: 1h 30m}"),
        ("agent", "pipelines: {x: {hooks: p.py}}\noutbox: {keep_sent: 90}"),
        ("experiment", "name: a\nbatch: [1, 2]\nloops: 1\nstrategy: margin"),
        ("experiment", "name: a\nbatch: 1\nloops: 1\nstrategy: {name: margin}"),
        ("experiment", "name: a\nbatch: 1\nloops: 1\nstrategy: [margin]"),
        ("experiment", "name: a\nbatch: 1\nloops: 1\ntakeover_after: auto\ndedup: null"),
    ],
)
def test_every_way_to_write_a_value_fits(name: str, text: str) -> None:
    assert errors(name, text) == []


@pytest.mark.parametrize("name", ["agent", "experiment"])
def test_every_key_is_described(name: str) -> None:
    silent = [key for key, found in properties(schema(name)) if not found.get("description")]
    assert silent == []


@pytest.mark.parametrize("name", ["agent", "experiment"])
def test_it_is_the_same_on_every_machine(name: str) -> None:
    text = json.dumps(schema(name))
    for private in (sys.executable, str(Path.home()) + "/", str(Path.cwd()), socket.gethostname()):
        assert f'"{private}' not in text


def test_defaults_are_written_as_people_write_them() -> None:
    found = dict(properties(schema("agent")))
    assert found["keep_sent"]["default"] == "7d"
    assert found["keep_warm"]["default"] == "5m"
