"""Trying the line without a job: what arrived, and how long the answer was held."""

from pydantic import Field

from alectio_agent.wire.names import Digest
from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.records import Record


class Probed(Record):
    """Answer to `PUT /v1/probe`; nothing of the body is kept.

    Attributes:
        bytes: That arrived.
        sha256: Of these bytes.
        held_s: How long the platform kept the answer back, by its own clock.
    """

    bytes: int = Field(ge=0, le=MAX_COUNT)
    sha256: Digest
    held_s: float = Field(ge=0)
