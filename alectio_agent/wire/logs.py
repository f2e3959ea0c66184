"""Logs of jobs on their way to the platform."""

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
