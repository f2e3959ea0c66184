"""The analysis process: one JSON request a line on stdin, one answer a line on stdout.

`python -m alectio_agent.analysis.worker` runs until stdin ends. A request that cannot be answered
gets `{"error": message, "kind": class of the error}`, and the next one is read.
"""

from typing import IO

from alectio_agent.analysis.answering import Answerer
from alectio_agent.core.lines import answer_lines, on_own_pipes


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the requests end.

    Args:
        requests: One JSON object a line.
        answers: Gets one JSON object a line, flushed.
    """
    # After an answer: the first batch of an experiment is wanted at once and needs no
    # scikit-learn; while its model is trained there is time to load it.
    answerer = Answerer()
    answer_lines(requests, answers, answerer.answer, answerer.get_ready)


if __name__ == "__main__":
    on_own_pipes(serve)
