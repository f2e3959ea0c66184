"""The analysis process: one JSON request a line on stdin, one answer a line on stdout.

`python -m alectio_agent.analysis.worker` runs until stdin ends. A request that cannot be answered
gets `{"error": message, "kind": class of the error}`, and the next one is read.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import IO, Any

from alectio_agent.analysis.answering import answer
from alectio_agent.core.errors import AlectioAgentError

LATE_MODULES = (
    "alectio_agent.analysis.metrics.classification",
    "alectio_agent.analysis.strategies.clustering",
)
"""What imports scikit-learn, which takes a second or two."""


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the requests end.

    Args:
        requests: One JSON object a line.
        answers: Gets one JSON object a line, flushed.
    """
    is_warm = False
    for line in requests:
        answers.write(json.dumps(_answer(line), separators=(",", ":")).encode() + b"\n")
        answers.flush()
        if not is_warm:
            # After the first answer: the first batch of an experiment is wanted at once and needs
            # no scikit-learn; while its model is trained there is time to load it.
            is_warm = True
            for name in LATE_MODULES:
                import_module(name)


def _answer(line: bytes) -> dict[str, Any]:
    try:
        return answer(line)
    except AlectioAgentError as error:
        return {"error": error.message, "kind": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - top of the process: one bad request must not end it
        return {"error": f"{type(error).__name__}: {error}", "kind": type(error).__name__}


def main() -> None:
    """Serve stdin and stdout; whatever else prints goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Ctrl-C in a terminal reaches this process too; it ends when the hub does, by the end of stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError), answers:
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
