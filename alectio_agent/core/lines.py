"""A process that answers lines of JSON on its stdin with lines of JSON on its stdout."""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from alectio_agent.core.errors import AlectioAgentError

Answer = Callable[[bytes], dict[str, Any]]


def answer_lines(
    requests: IO[bytes],
    answers: IO[bytes],
    answer: Answer,
    afterwards: Callable[[], None] = lambda: None,
) -> None:
    """Answer until the requests end.

    Args:
        requests: One JSON object a line.
        answers: Gets one JSON object a line, flushed; for a request that cannot be answered
            `{"error": message, "kind": class of the error}`.
        answer: Makes the answer to one line.
        afterwards: Called when an answer is out.
    """
    for line in requests:
        told = json.dumps(_answered(answer, line), separators=(",", ":"))
        answers.write(told.encode() + b"\n")
        answers.flush()
        afterwards()


def on_own_pipes(serve: Callable[[IO[bytes], IO[bytes]], None]) -> None:
    """Serve stdin and stdout; whatever else prints goes to stderr.

    Args:
        serve: Reads requests from the first, writes answers to the second.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Ctrl-C in a terminal reaches this process too; it ends when the hub does, by the end of stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError), answers:
        serve(sys.stdin.buffer, answers)


def _answered(answer: Answer, line: bytes) -> dict[str, Any]:
    try:
        return answer(line)
    except AlectioAgentError as error:
        return {"error": error.message, "kind": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - top of the process: one bad request must not end it
        return {"error": f"{type(error).__name__}: {error}", "kind": type(error).__name__}
