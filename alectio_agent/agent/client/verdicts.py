"""What each part of an agent does about a verdict or a silence: the rules, as one table."""

from collections.abc import Mapping
from typing import Literal

from alectio_agent.core.errors import (
    LeaseLostError,
    NotAuthorizedError,
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
    SupersededBootError,
)

Activity = Literal["poll", "deliver", "beat", "log", "names"]
Action = Literal[
    "retry", "register", "complain", "slow", "end", "supersede", "resend", "park", "drop"
]

ACTIONS: Mapping[Action, str] = {
    "retry": "try again with back-off, for ever",
    "register": "register again, after a back-off",
    "complain": "say so, and register again after a back-off",
    "slow": "wait for a person: read the token anew, and try again every minute or two",
    "end": "cancel the hook, keep the results, end with exit code 77 or 78",
    "supersede": "stop the hook, keep the results as superseded",
    "resend": "send the missing parts, then the message again",
    "park": "keep the message apart, and fail its job as rejected",
    "drop": "give up what nobody waits for",
}

ACTIVITIES: tuple[Activity, ...] = ("poll", "deliver", "beat", "log", "names")
SILENCES = ("unreachable", "cut", "late", "foreign", "interrupted", "unrecorded")
_TABLE: Mapping[str, tuple[Action, Action, Action, Action, Action]] = {
    # A beat is tried again within a sixth of the lease even where others slow down: the lease must
    # not run out while somebody mends the token.
    #                       poll        deliver      beat         log      names
    "unreachable":          ("retry",    "retry",     "retry",     "retry", "retry"),
    "cut":                  ("retry",    "retry",     "retry",     "retry", "retry"),
    "late":                 ("retry",    "retry",     "retry",     "retry", "retry"),
    "foreign":              ("retry",    "retry",     "retry",     "retry", "retry"),
    "interrupted":          ("retry",    "retry",     "retry",     "retry", "retry"),
    "unrecorded":           ("retry",    "retry",     "retry",     "retry", "retry"),
    "lease-lost":           ("complain", "supersede", "supersede", "drop",  "drop"),
    "job-closed":           ("complain", "supersede", "supersede", "drop",  "drop"),
    "parts-missing":        ("complain", "resend",    "retry",     "drop",  "drop"),
    "stale-seq":            ("register", "park",      "retry",     "drop",  "drop"),
    # A hub that was restored from a backup knows an earlier boot: only the answer to a registration
    # tells whether somebody else came later. It ends the agent, see `PollLoop`.
    "superseded-boot":      ("register", "end",       "end",       "drop",  "drop"),
    "conflict":             ("complain", "park",      "retry",     "drop",  "drop"),
    "invalid":              ("complain", "park",      "retry",     "drop",  "drop"),
    "key-reused":           ("complain", "park",      "retry",     "drop",  "drop"),
    "unknown-agent":        ("register", "retry",     "retry",     "retry", "drop"),
    "not-found":            ("complain", "park",      "retry",     "drop",  "drop"),
    "unauthorized":         ("slow",     "slow",      "retry",     "slow",  "slow"),
    "expired":              ("slow",     "slow",      "retry",     "slow",  "slow"),
    "revoked":              ("end",      "end",       "end",       "slow",  "slow"),
    "forbidden":            ("end",      "end",       "end",       "slow",  "slow"),
    "unsupported-protocol": ("slow",     "retry",     "retry",     "retry", "retry"),
}  # fmt: skip

RULES: Mapping[str, Mapping[Activity, Action]] = {
    what: dict(zip(ACTIVITIES, row, strict=True)) for what, row in _TABLE.items()
}
"""By problem type or kind of silence, then by activity."""


def what_is(error: PlatformError) -> str:
    """The row of the table that an error belongs to.

    Args:
        error: A verdict, or why there was no answer.
    """
    if isinstance(
        error, LeaseLostError | NotAuthorizedError | PlatformRejectedError | SupersededBootError
    ):
        return error.problem
    return error.silence if isinstance(error, PlatformUnavailableError) else "foreign"


def rule(activity: Activity, error: PlatformError) -> Action:
    """What an activity does about an error.

    Args:
        activity: Whose request it was.
        error: A verdict, or why there was no answer.
    """
    return RULES.get(what_is(error), RULES["foreign"])[activity]
