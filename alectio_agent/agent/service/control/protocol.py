"""What is said over `control.sock`: one line of JSON asks, one line of JSON answers."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alectio_agent.agent.jobs.carried import Outcome
from alectio_agent.core.errors import (
    AlectioAgentError,
    ConfigError,
    ControlDeniedError,
    ControlError,
    ControlWordsError,
    ExitCode,
    StoreError,
    UsageError,
)
from alectio_agent.wire.strict_json import JsonRuleError, loads

PROTOCOL = 1
MOST_BYTES = 8192
"""Of a request, with the end of its line."""
MOST_ANSWER_BYTES = 2**18
MOST_NOTE_CHARS = 500
MOST_PAUSE_S = 10 * 365 * 86400.0
OTHER_VERSION = (
    "The agent and this command are of different versions. An agent takes the new one when it is "
    "stopped and started again."
)


class SaidVerdict(BaseModel):
    """What a platform said of one message, see `Verdict`."""

    model_config = ConfigDict(frozen=True, strict=True)

    key: str = Field(max_length=64)
    outcome: Outcome
    reason: str = ""


class Request(BaseModel):
    """What is asked; members that are not known are passed over.

    Attributes:
        verb: Such as `pause`.
        for_s: `pause`: seconds; None for no end.
        note: `pause`: why, for people.
        now: `stop`, `restart`: cancel the running step.
        wait: `stop`, `restart`: keep the connection until the process ends.
        job: `retry`, `log`: only of this one, as `experiment/loop`; `log`: or an experiment.
        attempt: `log`: of which attempt; None for the newest.
        platform_id: `verdicts`: of the platform that gave them.
        verdicts: What it said of results that were carried to it.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    verb: str = Field(max_length=40)
    protocol: int = PROTOCOL
    for_s: float | None = Field(None, gt=0, le=MOST_PAUSE_S)
    note: str = Field("", max_length=MOST_NOTE_CHARS)
    now: bool = False
    wait: bool = False
    job: str | None = Field(None, max_length=80)
    attempt: int | None = None
    platform_id: str = Field("", max_length=64)
    verdicts: list[SaidVerdict] = []

    @property
    def words(self) -> str:
        """The verb with what changes its meaning, for the log."""
        return f"{self.verb} --now" if self.now else self.verb

    def line(self) -> bytes:
        """As it is sent."""
        return self.model_dump_json(exclude_defaults=True, exclude={"protocol"}).encode()[:-1] + (
            f',"protocol":{self.protocol}}}\n'.encode()
        )


def read_request(line: bytes) -> Request:
    """Read what a client sent.

    Args:
        line: Without its end.

    Raises:
        ControlWordsError: Not a request, or one of another protocol.
    """
    try:
        found = loads(line)
    except JsonRuleError as error:
        raise _not_understood(f"not a JSON object in one line: {error}") from error
    protocol = found.get("protocol") if isinstance(found, dict) else None
    if protocol != PROTOCOL:
        raise ControlWordsError(
            f"found protocol {protocol!r:.20}, this agent speaks {PROTOCOL}", hint=OTHER_VERSION
        )
    try:
        return Request.model_validate(found)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise _not_understood(f"{place}: {wrong['msg']}") from error


def answer_line(answer: Mapping[str, Any]) -> bytes:
    """An answer as it is sent.

    Args:
        answer: Members that JSON knows.
    """
    return json.dumps({"protocol": PROTOCOL, "answer": answer}).encode() + b"\n"


def error_line(error: AlectioAgentError) -> bytes:
    """A refusal as it is sent.

    Args:
        error: With its code, message and hint.
    """
    told = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_code": int(error.exit_code),
    }
    return json.dumps({"protocol": PROTOCOL, "error": told}).encode() + b"\n"


def read_answer(line: bytes) -> dict[str, Any]:
    """Read what the agent answered.

    Args:
        line: Whole.

    Returns:
        The members of the answer.

    Raises:
        ControlWordsError: No answer of a protocol that is known here.
        AlectioAgentError: What the agent refused with.
    """
    try:
        found = json.loads(line)
        if "error" in found:
            raise _refusal(found["error"])
        answer: dict[str, Any] = dict(found["answer"])
    except (ValueError, KeyError, TypeError) as error:
        raise ControlWordsError(
            "the answer of the agent is not understood", hint=OTHER_VERSION
        ) from error
    return answer


def _refusal(told: Mapping[str, Any]) -> AlectioAgentError:
    kinds: dict[int, type[AlectioAgentError]] = {
        ExitCode.USAGE: UsageError,
        ExitCode.TRY_AGAIN: ControlError,
        ExitCode.NOT_ALLOWED: ControlDeniedError,
        ExitCode.CONFIG: ConfigError,
        ExitCode.UNEXPECTED: StoreError,
    }
    kind = kinds.get(int(told["exit_code"]), ControlError)
    return kind(str(told["message"]), hint=str(told["hint"]), code=str(told["code"]))


def _not_understood(what: str) -> ControlWordsError:
    return ControlWordsError(
        f"the request is not understood: {what}",
        hint=f'Expected one line, such as {{"protocol": {PROTOCOL}, "verb": "state"}}.',
    )
