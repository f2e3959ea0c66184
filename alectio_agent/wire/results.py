"""What goes out about a job: heartbeats, commits, failures."""

from typing import Any, Literal, Self

from pydantic import Field, JsonValue

from alectio_agent.core.ids import new_id
from alectio_agent.wire.claims import Step
from alectio_agent.wire.names import CHECKPOINT_PATTERN, Digest, Id
from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.provenance import Provenance
from alectio_agent.wire.records import Record

FailureClass = Literal[
    "user_code",
    "contract",
    "timeout",
    "oom",
    "crash",
    "checkpoint",
    "interrupted",
    "refused",
    "rejected",
    "cancelled",
]


class Progress(Record):
    """How far the running step is, as the hook said."""

    done: float | None = None
    total: float | None = None
    numbers: dict[str, float] = {}


class Heartbeat(Record):
    """`POST /v1/jobs/{job_id}/heartbeat`."""

    step: Step | None = None
    state: Literal["running", "delivering"] = "running"
    progress: Progress | None = None


class HeartbeatAnswer(Record):
    """Whether to go on; `cancel` holds the reason when not, and is always there.

    An empty object comes from somebody else, such as a proxy.
    """

    cancel: str | None


class Part(Record):
    """One part of a bulk result."""

    sha256: Digest
    bytes: int = Field(ge=1, le=MAX_COUNT)
    rows: int = Field(ge=1, le=MAX_COUNT)


class StepCommit(Record):
    """`PUT /v1/jobs/{job_id}/steps/{step}`: the result of a step.

    The content that must not change under one key is: step, media type, rows, parts, inline.

    Attributes:
        key: Idempotency key, made once per result.
        media_type: Of the parts; `application/json` for an inline result.
        rows: Number of rows; 0 for `train`.
        inline: `{"rows": [[index, value], ...]}` (`test`: value is `[prediction, label]`, with the
            row of scores as a third when the hook returned `outputs`); for `train` `{"labels": ...,
            "hyperparams": ...}` as far as they may leave, `label_counts` in the place of labels
            that are too many.
        started_at: RFC 3339, agent's clock.
        duration_s: Of the hook alone.
        warnings: What the contract check noticed, for people.
        provenance: What a train run was made of; only with `train`.
    """

    key: Id
    media_type: str = Field(max_length=100)
    rows: int = Field(ge=0, le=MAX_COUNT)
    parts: list[Part] = []
    # Plain JSON, as it was read: `JsonValue` would call Python for each of its numbers.
    inline: dict[str, Any] | None = None
    started_at: str = ""
    finished_at: str = ""
    duration_s: float = Field(default=0, ge=0)
    warnings: list[str] = []
    provenance: Provenance | None = None

    def content(self, step: str) -> dict[str, JsonValue]:
        """What is compared when the key comes again.

        Args:
            step: Name of the step.

        Returns:
            The compared fields as plain JSON.
        """
        return {
            "step": step,
            "media_type": self.media_type,
            "rows": self.rows,
            "parts": [part.model_dump() for part in self.parts],
            "inline": self.inline,
        }


class JobFailure(Record):
    """`POST /v1/jobs/{job_id}/fail`: a step gave no result, or the job is handed back.

    Attributes:
        partial: What an interrupted `train` saved; it lies on this agent, for its next attempt.
    """

    key: Id
    step: Step | None = None
    failure_class: FailureClass = Field(alias="class")
    message: str = Field(max_length=4000)
    traceback: str = Field(default="", max_length=32000)
    finished_at: str = ""
    partial: str | None = Field(default=None, pattern=CHECKPOINT_PATTERN)

    @classmethod
    def of(cls, failure_class: str, message: str, finished_at: str, **more: str | None) -> Self:
        """A failure with a key of its own.

        Args:
            failure_class: One of the classes.
            message: For people; what is too long is cut.
            finished_at: RFC 3339, agent's clock.
            more: Other fields.
        """
        told = {"key": new_id(), "class": failure_class, "message": message[:4000]}
        return cls.model_validate({**told, "finished_at": finished_at, **more})

    def content(self) -> dict[str, JsonValue]:
        """What is compared when the key comes again."""
        return {"step": self.step, "class": self.failure_class}


class Accepted(Record):
    """The answer that settles a message; it says so, since an empty object may be a proxy's."""

    status: Literal["accepted"]


ACCEPTED = Accepted(status="accepted")


class MissingPart(Record):
    """A part that a commit named and that is not there whole."""

    sha256: Digest
    have: int = Field(ge=0)
