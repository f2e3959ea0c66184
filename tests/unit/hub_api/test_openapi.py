"""The document of the API says what is served."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from alectio_agent.hub.api.examples import EXAMPLES
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


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    """Generators of clients refuse another."""
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def fits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    Draft202012Validator.check_schema(whole)
    return [breach.message for breach in Draft202012Validator(whole).iter_errors(value)]


def illustrated(document: dict[str, Any]) -> list[tuple[str, dict[str, Any], Any]]:
    """Every example of the document: of which call, its schema, its value."""
    found = []
    for call in operations(document):
        holders = [*call["parameters"]]
        for body in (call.get("requestBody", {}), *call["responses"].values()):
            holders += body.get("content", {}).values()
        found += [
            (call["operationId"], holder["schema"], holder["example"])
            for holder in holders
            if "example" in holder
        ]
    return found


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    told = illustrated(document)
    assert {name for name, _, _ in told} == set(EXAMPLES)
    assert [(name, fits(document, schema, value)) for name, schema, value in told] == [
        (name, []) for name, _, _ in told
    ]


def test_every_call_of_an_agent_has_an_example(document: dict[str, Any]) -> None:
    """All but record names, which are no JSON both ways."""
    agents = {call["operationId"] for call in operations(document) if call["x-scopes"] == ["agent"]}
    assert agents - set(EXAMPLES) == {"put_names"}


def test_an_example_that_breaks_its_schema_would_be_found(document: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ClaimRequest"}
    assert fits(document, schema, {**EXAMPLES["claim"].asked, "seq": "one"}) != []


def test_a_slice_of_a_part_is_documented(document: dict[str, Any]) -> None:
    call = document["paths"]["/v1/jobs/{job_id}/parts/{sha256}"]["put"]
    [header] = [given for given in call["parameters"] if given["name"] == "Content-Range"]
    assert not header["required"]
    for told in ("bytes 0-65535/4194304", "bytes */4194304"):
        assert fits(document, header["schema"], told) == []
    assert fits(document, header["schema"], "bytes 0-65535/*") != []
    answer = call["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["$ref"].endswith("/PartTaken")


def test_members_that_some_problems_bring_are_documented(document: dict[str, Any]) -> None:
    members = document["components"]["schemas"]["Problem"]["properties"]
    assert {"code", "missing", "min", "max", "keys", "rows"} <= set(members)
