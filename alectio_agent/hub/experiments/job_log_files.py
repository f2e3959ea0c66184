"""What hooks printed, as far as it has reached the hub: `logs/<job>/<attempt>/` in its folder."""

from dataclasses import dataclass
from pathlib import Path

from alectio_agent.hub.experiments.context import Context

LOGS, SUFFIX = "logs", ".log"


@dataclass(frozen=True)
class LogPiece:
    """Some text of a log.

    Attributes:
        attempt: Whose log it is.
        offset: Where the text begins.
        size: Where the whole log ends, as far as it has come.
        text: Bytes as the hooks wrote them.
    """

    attempt: int
    offset: int
    size: int
    text: bytes


def read_tail(
    context: Context, job_id: str, attempt: int, size_bytes: int = 2**14
) -> LogPiece | None:
    """Read the end of a log, from the beginning of a line on.

    Args:
        context: Knows the hub's folder.
        job_id: Of the job, as the tables have it.
        attempt: From 1.
        size_bytes: The most to read.

    Returns:
        The end; None when nothing of that log has come.
    """
    folder = context.parts.parent / LOGS / job_id / str(attempt)
    runs = [file for file in folder.glob(f"*{SUFFIX}") if file.stem.isdigit()]
    if not runs:
        return None
    newest = max(runs, key=_start)
    with newest.open("rb") as file:
        end = file.seek(0, 2)
        start = max(0, end - size_bytes)
        file.seek(start)
        text = file.read(end - start)
    cut = text.find(b"\n") + 1 if start else 0
    return LogPiece(attempt, _start(newest) + start + cut, _start(newest) + end, text[cut:])


def _start(file: Path) -> int:
    return int(file.stem)
