"""What an answer means."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alectio_agent.agent.client.answers import read_claim, read_record, retry_after_s
from alectio_agent.agent.client.transport import Response
from alectio_agent.core.errors import (
    InvalidClaimError,
    LeaseLostError,
    NotAuthorizedError,
    PlatformRejectedError,
    PlatformUnavailableError,
    ProtocolMismatchError,
    SupersededBootError,
)
from alectio_agent.wire.problems import PROBLEM_TYPES
from alectio_agent.wire.results import Accepted, HeartbeatAnswer
from tests.support.claims import make_claim

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def answer(
    status: int, body: object, media_type: str = "application/json", **headers: str
) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(status, {"content-type": media_type, **headers}, text.encode())


def problem(name: str, status: int = 409, **extra: object) -> Response:
    return answer(
        status, {"type": name, "title": "t", "detail": "d", **extra}, "application/problem+json"
    )


def test_an_empty_object_is_no_leave_to_go_on() -> None:
    """Proxies send `{}`: the beat that allows the first hook has to be answered by the platform."""
    with pytest.raises(PlatformUnavailableError):
        read_record(answer(200, {}), HeartbeatAnswer, NOW)


def test_a_record_of_ours_is_read() -> None:
    assert read_record(answer(200, {"status": "accepted"}), Accepted, NOW).status == "accepted"


@pytest.mark.parametrize(
    "response",
    [
        answer(200, "<html>Please log in</html>", "text/html"),
        answer(200, '{"status": "accep'),
        answer(200, {"status": "something else"}),
        answer(200, {}),
        answer(302, "", "text/html"),
        answer(403, "<h1>Forbidden</h1>", "text/html"),
        answer(404, "not found", "text/plain"),
        answer(407, "proxy authentication", "text/html"),
        answer(413, "too large", "text/html"),
        answer(502, "bad gateway", "text/html"),
        answer(409, {"type": "lease-lost"}),
        problem("a-word-nobody-knows"),
        answer(409, "{", "application/problem+json"),
    ],
)
def test_whatever_is_not_the_platforms_is_no_answer(response: Response) -> None:
    """A captive portal's 200, or a proxy's 403, must never settle or fail a message."""
    with pytest.raises(PlatformUnavailableError):
        read_record(response, Accepted, NOW)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lease-lost", LeaseLostError),
        ("job-closed", LeaseLostError),
        ("unauthorized", NotAuthorizedError),
        ("expired", NotAuthorizedError),
        ("revoked", NotAuthorizedError),
        ("superseded-boot", SupersededBootError),
        ("parts-missing", PlatformRejectedError),
        ("key-reused", PlatformRejectedError),
        ("invalid", PlatformRejectedError),
        ("stale-seq", PlatformRejectedError),
        ("unknown-agent", PlatformRejectedError),
    ],
)
def test_a_problem_of_ours_is_a_verdict(name: str, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        read_record(problem(name, PROBLEM_TYPES[name].status), Accepted, NOW)


def test_members_of_a_problem_are_kept() -> None:
    with pytest.raises(PlatformRejectedError) as caught:
        read_record(problem("parts-missing", missing=[{"sha256": "a", "have": 0}]), Accepted, NOW)
    assert caught.value.detail == {"missing": [{"sha256": "a", "have": 0}]}


def test_a_detail_cannot_forge_lines() -> None:
    forged = {"type": "lease-lost", "detail": "a\nb\x1b[2J"}
    with pytest.raises(LeaseLostError) as caught:
        read_record(answer(409, forged, "application/problem+json"), Accepted, NOW)
    assert caught.value.message == "a\\x0ab\\x1b[2J"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        ("Sat, 31 Jan 2026 12:00:30", 30.0),
        ("Sat, 31 Jan 2026 13:00:30 +0100", 30.0),
        ("301", 300.0),
        ("9" * 400, 300.0),
        ("Sat, 31 Jan 2099 12:00:00 GMT", 300.0),
        ("Sat, 31 Jan 99999999999999999999 12:00:00 GMT", None),
        ("Sat, 31 Jan 2026 12:00:00 +99999999", None),
        ("1.5", None),
        ("1e3", None),
        ("3, 4", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("-4", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, expected: float | None) -> None:
    assert retry_after_s({"retry-after": header}, NOW) == expected


def test_retry_after_comes_with_the_error() -> None:
    with pytest.raises(PlatformUnavailableError) as caught:
        read_record(answer(503, "", "text/html", **{"retry-after": "12"}), Accepted, NOW)
    assert caught.value.retry_after_s == 12


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.update(experiment="../../etc"),
        lambda raw: raw.update(steps=[]),
        lambda raw: raw["steps"][0]["payload"].update(ckpt_file="a/b"),
        lambda raw: raw["steps"][0]["payload"].update(labeled=[1, True]),
        lambda raw: raw["steps"][0]["payload"].update(labeled=[1, 2.0]),
        lambda raw: raw["steps"][0]["payload"].update(labeled=[-1]),
        lambda raw: raw["steps"][0].update(step="exec"),
    ],
)
def test_a_whole_claim_that_breaks_a_rule_is_told_from_no_answer(spoil) -> None:
    raw = make_claim().model_dump()
    spoil(raw)
    with pytest.raises(InvalidClaimError):
        read_claim(answer(200, raw), NOW)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": 123456789012345678901234567890}',
        '{"a":' * 100 + "1" + "}" * 100,
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_json_that_breaks_the_rules_is_an_invalid_claim(text: str) -> None:
    with pytest.raises(InvalidClaimError):
        read_claim(answer(200, text), NOW)


def test_half_a_claim_is_no_answer() -> None:
    with pytest.raises(PlatformUnavailableError):
        read_claim(answer(200, json.dumps(make_claim().model_dump())[:-40]), NOW)


@settings(max_examples=60)
@given(st.text(max_size=20) | st.text("0123456789 :,+-GMTJan", max_size=40))
def test_whatever_stands_in_retry_after_the_wait_is_bounded(header: str) -> None:
    asked_s = retry_after_s({"retry-after": header}, NOW)
    assert asked_s is None or 0 <= asked_s <= 300


@pytest.mark.parametrize(
    ("lowest", "highest", "told", "mend"),
    [
        (2, 3, "the platform speaks protocols 2 to 3, this agent speaks 1", "Update the agent: "),
        (2, 2, "the platform speaks protocol 2, this agent speaks 1", "pip install -U alectio"),
        (0, 0, "the platform speaks protocol 0, this agent speaks 1", "Update the hub, on its"),
        (None, None, "the platform does not speak protocol 1: d", "Update the older one"),
        (True, "x", "the platform does not speak protocol 1: d", "Update the older one"),
    ],
)
def test_of_two_sides_without_a_common_protocol_the_older_is_named(
    lowest: object, highest: object, told: str, mend: str
) -> None:
    """A person reads this by night: it must say which of two machines needs the update."""
    refusal = problem("unsupported-protocol", 426, min=lowest, max=highest)
    with pytest.raises(ProtocolMismatchError) as caught:
        read_record(refusal, Accepted, NOW)
    assert caught.value.message == told
    assert mend in caught.value.hint
    assert (caught.value.code, int(caught.value.exit_code)) == ("E-HUB-06", 78)
