"""Claims: an agent asks for a job, the platform answers with one."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints

from alectio_agent.wire.names import CheckpointName, Digest, ExperimentName, Id, PipelineName
from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.records import Record

Step = Literal["train", "test", "infer"]
Task = Literal[
    "classification", "multi_label", "regression", "object_detection", "segmentation", "custom"
]
Output = Literal["logits", "probabilities", "multilabel_logits", "regression", "detection"]


Index = Annotated[int, Field(strict=True, ge=0)]


class Refusal(Record):
    """A claim that the agent would not run."""

    seq: int = Field(ge=1, le=MAX_COUNT)
    reason: str = Field(max_length=2000)


class ClaimRequest(Record):
    """`POST /v1/claims`.

    Attributes:
        seq: Starts at 1 in each boot and counts up in the transaction that journals the claim.
        wait_s: How long the agent is willing to wait.
        free: Pipelines that a free slot may run.
        refused: The previous claim, when the agent refused it.
    """

    agent_id: Id
    boot: Id
    seq: int = Field(ge=1, le=MAX_COUNT)
    wait_s: float = Field(ge=0, le=300)
    free: list[PipelineName]
    refused: Refusal | None = None


class TrainPayload(Record):
    """What `train` gets.

    Attributes:
        labeled: Samples to train on.
        labels: Index of each of these to its label, when people gave them: the name of a class, or
            its column. None when the labels lie with the hooks.
    """

    resume_from: CheckpointName | None
    ckpt_file: CheckpointName
    labeled: list[Index]
    labels: dict[str, JsonValue] | None = None


class TestPayload(Record):
    """What `test` gets."""

    __test__ = False  # not a test, whatever pytest thinks of the name

    ckpt_file: CheckpointName


class InferPayload(Record):
    """What `infer` gets."""

    ckpt_file: CheckpointName
    unlabeled: list[Index]


class TrainOrder(Record):
    """Run `train`."""

    step: Literal["train"] = "train"
    payload: TrainPayload


class TestOrder(Record):
    """Run `test`."""

    __test__ = False

    step: Literal["test"] = "test"
    payload: TestPayload


class InferOrder(Record):
    """Run `infer`."""

    step: Literal["infer"] = "infer"
    payload: InferPayload


StepOrder = Annotated[TrainOrder | TestOrder | InferOrder, Field(discriminator="step")]


class PoolPin(Record):
    """A pool as it was at some time.

    Attributes:
        size: Number of samples; indices are below it.
        digest: SHA-256 over the first `size` record names, when the pipeline has a `state` hook.
    """

    size: int = Field(ge=0)
    digest: Digest | None = None


class Pool(PoolPin):
    """The pool as it was when the experiment's loop 0 was made, or when it was last extended.

    Attributes:
        earlier: What it was before each time it was extended, oldest first.
    """

    earlier: list[PoolPin] = []


class Claim(Record):
    """A job: one loop of one experiment, with the lease to run it.

    Attributes:
        job: `experiment/loop`, for people.
        classes: Number of classes; None for tasks without.
        class_names: Names in column order; None when only the count is known.
        seed: Of the experiment; the child seeds from (seed, loop, step).
        steps: What to run, in order; never empty.
    """

    job: Annotated[str, StringConstraints(max_length=80)]
    job_id: Id
    experiment: ExperimentName
    experiment_id: Id
    pipeline: PipelineName
    task: Task
    classes: int | None = Field(default=None, ge=1)
    class_names: list[str] | None = None
    output: Output | None = None
    pool: Pool
    loop: int = Field(ge=0)
    loops: int = Field(ge=1)
    attempt: int = Field(ge=1)
    lease: Id
    seed: int
    select: dict[str, JsonValue] | None = None
    steps: list[StepOrder] = Field(min_length=1, max_length=3)

    def without_samples(self) -> Self:
        """The same job for whoever only needs to know which it is: a claim may name millions."""
        steps = [
            order.model_copy(update={"payload": _without_samples(order.payload)})
            for order in self.steps
        ]
        return self.model_copy(update={"steps": steps})


def _without_samples(payload: TrainPayload | TestPayload | InferPayload) -> Record:
    if isinstance(payload, TrainPayload):
        return payload.model_copy(update={"labeled": [], "labels": None})
    if isinstance(payload, InferPayload):
        return payload.model_copy(update={"unlabeled": []})
    return payload
