"""Decides what an answer means: a record, a verdict of the platform, or no answer at all."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from alectio_agent.agent.client.negotiation import mismatch
from alectio_agent.agent.client.retry import LONGEST_RETRY_AFTER_S
from alectio_agent.agent.client.transport import Response
from alectio_agent.core.errors import (
    CODE_PATTERN,
    InvalidClaimError,
    LeaseLostError,
    NotAuthorizedError,
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
    SupersededBootError,
)
from alectio_agent.core.log import printable
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.problems import PROBLEM_TYPES, Problem
from alectio_agent.wire.protocol import (
    JSON_MEDIA_TYPE,
    LOG_ATTEMPT_HEADER,
    LOG_OFFSET_HEADER,
    LOG_SIZE_HEADER,
    PROBLEM_MEDIA_TYPE,
)
from alectio_agent.wire.strict_json import JsonRuleError, NotJsonError, loads

RecordT = TypeVar("RecordT", bound=BaseModel)

LOST = frozenset({"lease-lost", "job-closed"})
NOT_AUTHORIZED = frozenset({"unauthorized", "expired", "revoked", "forbidden"})


def read_record(response: Response, model: type[RecordT], now: datetime) -> RecordT:
    """Read the record that a successful call must answer with.

    Args:
        response: As it came.
        model: The expected record.
        now: Current time, for a Retry-After that is a date.

    Returns:
        The record.

    Raises:
        PlatformUnavailableError: The answer is not the platform's: a proxy's page, a redirect, a
            200 that does not parse.
        PlatformError: A verdict, as the class that says what to do next.
    """
    if response.status != 200:
        raise verdict(response, now)
    if _media_type(response.headers) != JSON_MEDIA_TYPE:
        raise _not_ours(response, now, "expected JSON")
    try:
        return model.model_validate(loads(response.body))
    except JsonRuleError as error:
        raise _not_ours(response, now, f"not a {model.__name__}") from error
    except ValidationError as error:
        breach = printable(_first_breach(error), 200)
        raise _not_ours(response, now, f"not a {model.__name__}: {breach}") from error


def read_file(response: Response, media_type: str, now: datetime) -> bytes:
    """Read a file that a successful call must answer with.

    Args:
        response: As it came.
        media_type: That a file of this name has.
        now: Current time, for a Retry-After that is a date.

    Returns:
        Its bytes.

    Raises:
        PlatformUnavailableError: The answer is not the platform's, such as a proxy's page.
        PlatformError: A verdict.
    """
    if response.status != 200:
        raise verdict(response, now)
    if _media_type(response.headers) != media_type:
        raise _not_ours(response, now, f"expected {media_type}")
    return response.body


def read_log(response: Response, now: datetime) -> LogText:
    """Read the text of a log.

    Args:
        response: As it came.
        now: Current time, for a Retry-After that is a date.

    Returns:
        The text and its place.

    Raises:
        PlatformUnavailableError: The answer is not the platform's.
        PlatformError: A verdict.
    """
    text = read_file(response, "text/plain", now)
    places = [
        response.headers.get(name.lower(), "")
        for name in (LOG_ATTEMPT_HEADER, LOG_OFFSET_HEADER, LOG_SIZE_HEADER)
    ]
    if not all(place.isascii() and place.isdigit() and len(place) < 18 for place in places):
        raise _not_ours(response, now, "no place of a log")
    attempt, offset, size = map(int, places)
    return LogText(attempt, offset, size, text)


def read_claim(response: Response, now: datetime) -> Claim:
    """Read a claim, telling one that breaks the rules from an answer that is not the platform's.

    Args:
        response: As it came.
        now: Current time, for a Retry-After that is a date.

    Returns:
        The claim.

    Raises:
        InvalidClaimError: It came whole, and breaks a rule.
        PlatformUnavailableError: The answer is not the platform's.
        PlatformError: A verdict.
    """
    try:
        return read_record(response, Claim, now)
    except PlatformUnavailableError as error:
        cause = error.__cause__
        if isinstance(cause, ValidationError):
            raise InvalidClaimError(printable(_first_breach(cause), 500)) from cause
        if isinstance(cause, JsonRuleError) and not isinstance(cause, NotJsonError):
            raise InvalidClaimError(printable(cause, 500)) from cause
        raise


OUTLIVED_HINT = (
    "All results here are kept. Only one of the two may keep this identity: give the other an "
    "agent.state_dir of its own, or remove identity.json from its state folder."
)


def verdict(response: Response, now: datetime) -> PlatformError:
    """Turn an answer other than success into the error that says what to do next.

    Args:
        response: As it came.
        now: Current time, for a Retry-After that is a date.

    Returns:
        `PlatformUnavailableError` unless it is a problem of a type that this protocol knows.
    """
    if _media_type(response.headers) != PROBLEM_MEDIA_TYPE:
        return _not_ours(response, now, "expected JSON")
    try:
        problem = Problem.model_validate(loads(response.body))
    except (JsonRuleError, ValidationError):
        return _not_ours(response, now, "a problem that does not parse")
    if problem.type not in PROBLEM_TYPES:
        return _not_ours(response, now, f"unknown problem {printable(problem.type, 60)}")
    message = printable(problem.detail or PROBLEM_TYPES[problem.type].title, 1000)
    if problem.type in LOST:
        return LeaseLostError(message, problem=problem.type)
    if problem.type in NOT_AUTHORIZED:
        return NotAuthorizedError(message, problem=problem.type)
    if problem.type == "superseded-boot":
        return SupersededBootError(message, hint=OUTLIVED_HINT)
    detail: dict[str, object] = dict(problem.model_extra or {})
    if problem.type == "unsupported-protocol":
        return mismatch(detail.get("min"), detail.get("max"), message)
    code = printable(detail.get("code", ""))
    return PlatformRejectedError(
        message,
        problem=problem.type,
        detail=detail,
        code=code if CODE_PATTERN.fullmatch(code) else "",
    )


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After.

    Args:
        headers: With lower-case names.
        now: Current time in UTC.

    Returns:
        Seconds, from zero to 300, whatever is asked; None when it is absent or makes no sense.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        asked_s = (moment - now).total_seconds()
    except (ValueError, OverflowError):  # a year of twenty digits
        return None
    return min(max(0.0, asked_s), LONGEST_RETRY_AFTER_S)


def _first_breach(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").split(";")[0].strip().lower()


def _not_ours(response: Response, now: datetime, why: str) -> PlatformUnavailableError:
    found = _media_type(response.headers) or "no content type"
    return PlatformUnavailableError(
        f"HTTP {response.status} that is not the platform's ({why}; found {printable(found, 60)})",
        code="E-NET-02",
        retry_after_s=retry_after_s(response.headers, now),
        status=response.status,
        silence="foreign",
    )
