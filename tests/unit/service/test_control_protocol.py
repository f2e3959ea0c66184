"""What is said over the control socket."""

import json

import pytest

from alectio_agent.agent.service.control.protocol import (
    Request,
    answer_line,
    error_line,
    read_answer,
    read_request,
)
from alectio_agent.core.errors import (
    AlectioAgentError,
    ConfigError,
    ControlDeniedError,
    ControlError,
    ControlWordsError,
    StoreError,
    UsageError,
)


def test_a_request_comes_out_as_it_went_in() -> None:
    asked = Request(verb="pause", for_s=7200.0, note="GPU needed", wait=True)
    line = asked.line()
    assert line.endswith(b"}\n")
    assert read_request(line.rstrip(b"\n")) == asked


def test_members_of_a_later_version_are_passed_over() -> None:
    found = read_request(b'{"protocol": 1, "verb": "state", "colour": "blue"}')
    assert found == Request(verb="state")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "not a JSON object"),
        (b"GET / HTTP/1.1", "not a JSON object"),
        (b"\xff\xfe", "not a JSON object"),
        (b'{"protocol": 1, "verb": "a", "verb": "b"}', "not a JSON object"),
        (b"[1]", "found protocol None, this agent speaks 1"),
        (b'{"verb": "state"}', "found protocol None, this agent speaks 1"),
        (b'{"protocol": 2, "verb": "state"}', "found protocol 2, this agent speaks 1"),
        (b'{"protocol": 1}', "verb: Field required"),
        (b'{"protocol": 1, "verb": 7}', "verb: "),
        (b'{"protocol": 1, "verb": "pause", "for_s": -1}', "for_s: "),
        (b'{"protocol": 1, "verb": "pause", "for_s": 1e300}', "for_s: "),
        (b'{"protocol": 1, "verb": "stop", "now": "yes"}', "now: "),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(line: bytes, said: str) -> None:
    with pytest.raises(ControlWordsError, match="E-CTL-03") as raised:
        read_request(line)
    assert said in raised.value.message


def test_an_answer_comes_out_as_it_went_in() -> None:
    assert read_answer(answer_line({"state": "idle"})) == {"state": "idle"}


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("E-CONF-02  agent.yaml:3 nonsense: unknown key", hint="Remove it."),
        UsageError("it is stopping", hint="Wait."),
        ControlDeniedError("not you"),
        ControlWordsError("what?"),
        StoreError("no room"),
        ControlError("later"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_ends_the_command_as_it_would_have_ended_the_agent(
    error: AlectioAgentError,
) -> None:
    with pytest.raises(AlectioAgentError) as raised:
        read_answer(error_line(error))
    told = raised.value
    assert (told.code, told.message, told.hint) == (error.code, error.message, error.hint)
    assert told.exit_code == error.exit_code


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"7", b"<html>", b'{"error": {}}'])
def test_an_answer_that_is_none_names_the_mend(line: bytes) -> None:
    with pytest.raises(ControlWordsError) as raised:
        read_answer(line)
    assert "different versions" in raised.value.hint


def test_a_request_says_its_protocol() -> None:
    assert json.loads(Request(verb="state").line()) == {"verb": "state", "protocol": 1}
