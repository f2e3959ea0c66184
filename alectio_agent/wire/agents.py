"""Registration: who an agent is and what it can run."""

from pydantic import AwareDatetime, Field

from alectio_agent.wire.names import CheckpointName, Digest, ExperimentName, Id, PipelineName
from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.records import Record


class Boot(Record):
    """One life of an agent process: a count that only grows, and a random id."""

    count: int = Field(ge=1, le=MAX_COUNT)
    id: Id


class PipelineOffer(Record):
    """A registered pipeline.

    Attributes:
        name: As in `agent.yaml`.
        pool_size: Samples in the pool; None leaves it to the experiment.
        state_digest: SHA-256 over the record names in index order; None without a `state` hook.
        state_size: Number of record names; None without a `state` hook.
        store: Name of the shared checkpoint store; None for the agent's own disk.
        shares_names: The record names may be asked for.
    """

    name: PipelineName
    pool_size: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    state_digest: Digest | None = None
    state_size: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    store: str | None = None
    shares_names: bool = False


class HeldCheckpoint(Record):
    """A checkpoint on the agent's disk."""

    experiment: ExperimentName
    name: CheckpointName


class Registration(Record):
    """`POST /v1/agents`.

    Attributes:
        installation_id: Random, made with the state folder.
        holding: Leases of the jobs in the agent's journal.
        seq: The newest claim that it has journalled in this boot; of later ones it says nothing.
            None from an agent that does not tell.
        checkpoints: What the agent holds.
    """

    installation_id: Id
    boot: Boot
    name: str = Field(min_length=1, max_length=128)
    version: str = Field(max_length=64)
    pipelines: list[PipelineOffer]
    slots: int = Field(default=1, ge=1, le=MAX_COUNT)
    tags: list[str] = []
    holding: list[Id] = []
    seq: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    checkpoints: list[HeldCheckpoint] = []


class ProtocolRange(Record):
    """The protocol numbers a platform speaks."""

    min: int
    max: int


class Registered(Record):
    """Answer to a registration.

    Attributes:
        names_wanted: Digests of record names that the platform does not have, of pipelines that
            share them; each is sent to `PUT /v1/agents/{agent_id}/names/{digest}`.
        token_expires_at: When the token ends that this call carried; None: never, or not told.
    """

    agent_id: Id
    platform_id: Id
    lease_s: float
    poll_wait_s: float
    max_part_bytes: int
    protocol: ProtocolRange
    names_wanted: list[Digest] = []
    token_expires_at: AwareDatetime | None = None
