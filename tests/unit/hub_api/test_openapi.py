"""The document of the API says what is served."""

import json
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.hub.api.openapi import openapi_text
from alectio_agent.wire.problems import PROBLEM_TYPES

CHECKED_IN = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(openapi_text())
    return made


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for path in document["paths"].values() for call in path.values()]


def test_the_document_that_is_checked_in_is_current(document: dict[str, Any]) -> None:
    """Mend with `python -m alectio_agent.hub.api.openapi docs/openapi.json`."""
    assert json.loads(CHECKED_IN.read_text("utf-8")) == document


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = set(json.dumps(document).split('"#/components/schemas/')[1:])
    assert {name.split('"')[0] for name in named} <= set(schemas)


def test_every_problem_type_is_given_by_some_call(document: dict[str, Any]) -> None:
    told = json.dumps([call["responses"] for call in operations(document)])
    assert {name for name in PROBLEM_TYPES if f"`{name}`" not in told} == set()


def test_every_call_is_described_and_asks_for_a_token(document: dict[str, Any]) -> None:
    for call in operations(document):
        assert call["description"].endswith((".", "`."))
        assert call["security"] == [{"bearer": []}]
        assert call["x-scopes"]


def test_no_shape_of_the_framework_is_left(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)


def test_bodies_are_documented_by_their_records(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/claims"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"]["$ref"].endswith("/ClaimRequest")
    assert "204" in document["paths"]["/v1/claims"]["post"]["responses"]


def test_calls_about_a_job_document_their_lease(document: dict[str, Any]) -> None:
    for path, calls in document["paths"].items():
        for call in calls.values():
            headers = [given["name"] for given in call["parameters"] if given["in"] == "header"]
            is_agents = path.startswith("/v1/jobs/") and call["x-scopes"] == ["agent"]
            assert ("Alectio-Lease" in headers) == is_agents, path
