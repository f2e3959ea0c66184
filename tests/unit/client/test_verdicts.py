"""The table of rules, whole, and every part of an agent against it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alectio_agent.agent.client.answers import verdict
from alectio_agent.agent.client.transport import Response
from alectio_agent.agent.client.verdicts import (
    ACTIONS,
    ACTIVITIES,
    RULES,
    SILENCES,
    Action,
    Activity,
    rule,
    what_is,
)
from alectio_agent.core.errors import ExitCode, InvalidClaimError, PlatformUnavailableError
from alectio_agent.wire.problems import PROBLEM_TYPES

DOCS = Path(__file__).parents[3] / "docs" / "wire.md"
NOW = datetime(2026, 1, 31, tzinfo=UTC)

EXPECTED: dict[str, dict[Activity, Action]] = {
    "lease-lost": {"deliver": "supersede", "beat": "supersede", "log": "drop"},
    "job-closed": {"deliver": "supersede", "beat": "supersede", "log": "drop"},
    "parts-missing": {"deliver": "resend"},
    "stale-seq": {"poll": "register"},
    "unknown-agent": {"poll": "register", "deliver": "retry", "beat": "retry"},
    "superseded-boot": {"poll": "register", "deliver": "end", "beat": "end"},
    "invalid": {"deliver": "park"},
    "key-reused": {"deliver": "park"},
    "unauthorized": {"poll": "slow", "deliver": "slow", "beat": "retry", "log": "slow"},
    "expired": {"poll": "slow", "deliver": "slow", "beat": "retry", "names": "slow"},
    "revoked": {"poll": "end", "deliver": "end", "beat": "end"},
    "forbidden": {"poll": "end", "deliver": "end", "beat": "end"},
    "unsupported-protocol": {"poll": "slow", "deliver": "retry", "beat": "retry"},
}
"""As section "Problems" of docs/wire.md promises."""


def said(name: str):
    """The error that an answer of this problem type becomes."""
    body = json.dumps({"type": name, "detail": "d"}).encode()
    headers = {"content-type": "application/problem+json"}
    return verdict(Response(PROBLEM_TYPES[name].status, headers, body), NOW)


def test_the_table_has_a_row_for_each_problem_and_each_silence() -> None:
    assert set(RULES) == set(PROBLEM_TYPES) | set(SILENCES)


@pytest.mark.parametrize("name", PROBLEM_TYPES)
def test_each_verdict_finds_its_row(name: str) -> None:
    assert what_is(said(name)) == name


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("activity", ACTIVITIES)
def test_a_silence_is_tried_again_for_ever(silence: str, activity: Activity) -> None:
    assert rule(activity, PlatformUnavailableError("x", silence=silence)) == "retry"


@pytest.mark.parametrize(
    ("name", "activity", "action"),
    [(name, *pair) for name, row in EXPECTED.items() for pair in row.items()],
)
def test_each_verdict_does_what_the_documents_promise(
    name: str, activity: Activity, action: Action
) -> None:
    assert rule(activity, said(name)) == action


def test_only_a_delivery_parks_sends_again_or_supersedes() -> None:
    for what, row in RULES.items():
        assert row["poll"] in ("retry", "register", "complain", "slow", "end"), what
        assert row["beat"] in ("retry", "supersede", "end"), what
        assert row["log"] in ("retry", "slow", "drop"), what
        assert row["names"] in ("retry", "slow", "drop"), what


def test_a_result_is_given_up_by_nothing() -> None:
    assert "drop" not in {row["deliver"] for row in RULES.values()}


def test_every_action_is_used_and_explained() -> None:
    assert {action for row in RULES.values() for action in row.values()} == set(ACTIONS)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("revoked", ExitCode.NOT_ALLOWED),
        ("forbidden", ExitCode.NOT_ALLOWED),
        ("superseded-boot", ExitCode.CONFIG),
    ],
)
def test_what_ends_the_agent_ends_it_with_its_exit_code(name: str, code: ExitCode) -> None:
    assert said(name).exit_code == code


def test_an_error_that_no_row_names_is_tried_again() -> None:
    assert rule("deliver", InvalidClaimError("x")) == "retry"


def test_the_documents_have_the_same_table() -> None:
    section = DOCS.read_text().partition("## Deadlines and retries")[2]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if "| `" in line]
    found = {
        what: dict(zip(ACTIVITIES, row[1:], strict=True))
        for row in rows
        for what in row[0].replace("`", "").split(", ")
    }
    assert found == RULES
    for action, told in ACTIONS.items():
        assert f"- *{action}*: {told}\n" in section
