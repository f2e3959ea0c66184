"""Says of which kind a silence is, and what took too long."""

import ssl
from typing import Literal

from alectio_agent.agent.client.deadlines import UPLOAD_SILENCE_S, Watch

Line = Literal["none", "new", "used"]
"""Whether a connection is ready, its TLS handshake included, and whether it was only just made."""
_HUNG_UP = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


def late_reason(error: BaseException, watch: Watch, silence_s: float) -> str:
    """What took too long, in a few words; empty when it was something else.

    Args:
        error: What ended the request.
        watch: Of that request.
        silence_s: Longest silence that it allowed while waiting for the answer.
    """
    if watch.is_over:
        return _late(watch)
    if isinstance(root(error), TimeoutError) and watch.stage != "connect":
        if watch.stage == "send":
            return f"nothing could be sent for {UPLOAD_SILENCE_S:g} s"
        return f"nothing came for {silence_s:g} s"
    return ""


def kind(error: BaseException, watch: Watch) -> str:
    """The kind of silence, as in `PlatformUnavailableError.silence`.

    Args:
        error: What ended the request.
        watch: Of that request.
    """
    if watch.stage == "connect":
        return "unreachable"
    return "late" if watch.is_over or isinstance(root(error), TimeoutError) else "cut"


def is_stale(error: BaseException, watch: Watch) -> bool:
    """Whether a connection that was kept had ended already when the request was sent.

    Args:
        error: What ended the request.
        watch: Of that request.
    """
    is_unheard = watch.stage in ("send", "wait") and not watch.is_over
    return is_unheard and not watch.is_fresh and isinstance(root(error), _HUNG_UP)


def line_of(watch: Watch, *, is_soon: bool) -> Line:
    """What a request had for a connection when it ended.

    Args:
        watch: Of that request.
        is_soon: It ended soon after it began.
    """
    if watch.stage == "connect":
        return "none"
    is_new = watch.is_fresh and is_soon and watch.stage in ("send", "wait")
    return "new" if is_new else "used"


def root(error: BaseException) -> BaseException:
    """What an error came from in the first place."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _late(watch: Watch) -> str:
    limit = f"longer than {watch.limit_s:g} s"
    return {
        "connect": f"to connect took {limit}",
        "send": f"nothing could be sent for {limit}",
        "wait": f"the headers of the answer took {limit}",
        "read": f"the answer took {limit}",
    }[watch.stage]
