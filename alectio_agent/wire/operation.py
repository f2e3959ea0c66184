"""What operators and viewers exchange with the hub: experiments, jobs, agents, tokens."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, RootModel

from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.names import ExperimentName, Id
from alectio_agent.wire.records import Order, Record
from alectio_agent.wire.results import Progress

ExperimentState = Literal["running", "waiting", "paused", "finished", "cancelled"]
"""`waiting`: a job waits for a person."""

LoopState = Literal["available", "claimed", "running", "selecting", "labelling", "waiting", "done"]
"""`labelling`: people are asked for labels of its batch."""
Scope = Literal["agent", "operator", "viewer"]
Count = Annotated[int, Field(strict=True, gt=0)]


class PlatformInfo(Record):
    """`GET /v1/platform`: who answers, for any token.

    Attributes:
        token_name: As the hub calls the token of this call; empty: not told.
        token_expires_at: When that token ends; None: never, or not told.
    """

    platform_id: Id
    version: str
    scope: Scope
    token_name: str = ""
    token_expires_at: AwareDatetime | None = None


class ExperimentCreate(Record):
    """`POST /v1/experiments`; 409 `conflict` when the name is taken by other settings.

    Sending the settings of an experiment that exists changes nothing and answers with its view.

    Attributes:
        series: The name in the file, when the experiment is made anew under another name.
    """

    settings: ExperimentSettings
    series: ExperimentName | None = None


class ExperimentUpdate(Order):
    """`POST /v1/experiments/{name}/update`; 409 `conflict` names the keys that cannot change.

    Sending the settings that it has changes nothing and answers with its view.
    """

    settings: ExperimentSettings


class ExperimentRetry(Order):
    """`POST /v1/experiments/{name}/retry`; without a body from the step that failed.

    Attributes:
        step: `train` trains that loop again, though its train was counted.
    """

    step: Literal["train"] | None = None


class ExperimentRewind(Order):
    """`POST /v1/experiments/{name}/rewind`.

    Attributes:
        loops: How many of the newest loops run again; one that is not done counts as the first.
    """

    loops: Count = 1


class ExperimentExtend(Order):
    """`POST /v1/experiments/{name}/extend`.

    Attributes:
        pool: The new number of samples; None leaves it, and with `loops` None as well takes what
            the agents that called offer.
        loops: The new number of loops; None leaves it.
    """

    pool: Count | None = None
    loops: Count | None = None


class ExperimentHistory(RootModel[dict[str, JsonValue]]):
    """`GET /v1/experiments/{name}/history`: all that is kept, as in `experiment.json`."""


class LoopView(Record):
    """One loop, as results files and tables show it.

    Attributes:
        labels: Labelled samples that `train` got; of a loop in the state `labelling`, that the one
            before got.
        chosen_by: Shares of the strategies behind the newest batch, such as
            `diverse_margin 90 %, random 10 %`.
        selected: The batch that this loop added, in increasing order.
        metrics: Name to value; None until `test` was counted.
        seconds: Step to the seconds its hook took.
        problem: Why it waits for a person; empty otherwise.
        asked: How many samples people were asked for; None when the labels lie with the hooks.
        returned: How many of these came back by now, with a label or excluded.
        asked_at: RFC 3339.
    """

    loop: int
    state: LoopState
    labels: int
    chosen_by: str
    selected: list[int] = []
    metrics: dict[str, float] | None = None
    seconds: dict[str, float] = {}
    warnings: list[str] = []
    hyperparams: JsonValue = None
    agent: str | None = None
    attempt: int = 0
    problem: str = ""
    done_at: str | None = None
    asked: int | None = None
    returned: int | None = None
    asked_at: str | None = None


class ExperimentView(Record):
    """One experiment.

    Attributes:
        version: Grows with every change of state; ask with `?after=VERSION&wait_s=20` to be
            answered when it has grown.
        results: Folder of its results files on the hub's machine.
        waits_for: Which labels it waits for, such as `labels of 18 of 30 samples of loop 3, since
            2026-11-25 14:03 UTC`, or which agent, such as `an agent that offers pipeline `xray``;
            empty while one that is heard of can run it.
    """

    experiment_id: Id
    name: ExperimentName
    state: ExperimentState
    reason: str = ""
    waits_for: str = ""
    settings: ExperimentSettings
    pool: int | None
    control: ExperimentName | None = None
    control_of: ExperimentName | None = None
    series: ExperimentName | None = None
    version: int
    created_at: str
    results: str = ""
    loops: list[LoopView] = []


class ExperimentList(Record):
    """`GET /v1/experiments`; the loops are left out."""

    experiments: list[ExperimentView]


class JobView(Record):
    """`GET /v1/jobs`: one job.

    Attributes:
        progress: How far the running step is, by its newest heartbeat; None when it did not say.
        started_at: When the attempt was first heard of; None before that.
        left_s: Seconds until the end of the step, as far as it goes on like this; None if unknown.
    """

    job: str
    job_id: Id
    state: LoopState
    attempt: int
    agent: str | None = None
    step: str | None = None
    problem: str = ""
    progress: Progress | None = None
    started_at: str | None = None
    left_s: float | None = None


class JobList(Record):
    """All jobs that are not done, oldest first."""

    jobs: list[JobView]


class AgentView(Record):
    """`GET /v1/agents`: one agent.

    Attributes:
        pool_sizes: Pipeline to the number of its samples; None when the agent does not say.
        slots: How many jobs it runs at once.
        jobs: What it has in hand.
        checkpoints: How many it told of or made; it may have deleted some since.
        newest_checkpoint: The one that was begun last; None without any of this hub's.
        silent_s: Seconds since it last called, by the hub's clock; None: not since the hub started.
    """

    agent_id: Id
    name: str
    version: str
    pipelines: list[str]
    registered_at: str
    last_contact_at: str
    pool_sizes: dict[str, int | None] = {}
    tags: list[str] = []
    slots: int = 1
    jobs: list[JobView] = []
    checkpoints: int = 0
    newest_checkpoint: str | None = None
    silent_s: float | None = None


class AgentList(Record):
    """All agents that ever registered and were not removed."""

    agents: list[AgentView]


class AgentRemove(Order):
    """`POST /v1/agents/{agent_id}/remove`.

    Attributes:
        force: Remove it though it has jobs in hand: they count as lost.
    """

    force: bool = False


class TokenCreate(Order):
    """`POST /v1/tokens`."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    scope: Scope = "agent"
    expires_s: float | None = Field(default=None, gt=0)


class TokenCreated(Record):
    """The only answer that ever holds the token itself."""

    token_id: Id
    name: str
    scope: Scope
    token: str
    expires_at: str | None = None


class TokenView(Record):
    """`GET /v1/tokens`: what is known of a token; never the token itself, nor its digest.

    Attributes:
        expires_at: None when it never does.
        last_used_at: To the minute; None when it never was.
    """

    token_id: Id
    name: str
    scope: Scope
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None


class TokenList(Record):
    """All tokens that were ever made, oldest first."""

    tokens: list[TokenView]
