"""The analysis process: one JSON request a line on stdin, one answer a line on stdout.

`python -m alectio_agent.analysis.worker` runs until stdin ends. A request that cannot be answered
gets `{"error": message, "kind": class of the error}`, and the next one is read.
"""

from importlib import import_module
from typing import IO

from alectio_agent.analysis.answering import answer
from alectio_agent.core.lines import answer_lines, on_own_pipes

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
    # After the first answer: the first batch of an experiment is wanted at once and needs no
    # scikit-learn; while its model is trained there is time to load it.
    answer_lines(requests, answers, answer, _load_late_modules)


def _load_late_modules() -> None:
    for name in LATE_MODULES:
        import_module(name)


if __name__ == "__main__":
    on_own_pipes(serve)
