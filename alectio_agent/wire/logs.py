"""Logs of jobs on their way to the platform."""

from dataclasses import dataclass

from pydantic import Field

from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.records import Record


class LogTaken(Record):
    """Answer to `PUT /v1/jobs/{job_id}/log`.

    Attributes:
        have: Where the text ends that is there without a gap from the offset of the call on; the
            offset itself when nothing is. A call without text only asks for it.
    """

    have: int = Field(ge=0, le=MAX_COUNT)


@dataclass(frozen=True)
class LogText:
    """Answer to the calls that read a log; all but the text stands in headers.

    Attributes:
        attempt: Whose log it is.
        offset: Where the text begins; behind what was asked for when there is a gap.
        size: Where the log ends so far.
        text: Bytes as the hooks wrote them; empty at the end.
    """

    attempt: int
    offset: int
    size: int
    text: bytes
