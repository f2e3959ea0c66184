"""What the worker can be asked."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from alectio_agent.analysis.files import ResultFiles


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True)


class InlineRows(_Request):
    """A small result: `[index, value]` each."""

    rows: list[list[Any]]


class ResultSource(_Request):
    """Where a step's result lies: in files, or in the request itself."""

    media_type: str = ""
    parts: list[Path] = []
    inline: InlineRows | None = None

    def files(self) -> ResultFiles:
        """The same for the reader."""
        rows = None if self.inline is None else self.inline.rows
        return ResultFiles(self.media_type, tuple(self.parts), rows)


class StrategyShare(_Request):
    """One part of the batch."""

    name: str
    share: float = Field(default=1.0, gt=0, le=1)


class _Question(_Request):
    """What is asked.

    Attributes:
        soon: Strategies that will be asked for; what they need is loaded once this is answered.
    """

    soon: list[str] = []


class SelectRequest(_Question):
    """Choose a batch.

    Attributes:
        loop: The loop that the batch is chosen for.
        strategy: Parts whose shares sum to one.
        result: Of `infer`; None before there is a model.
        unlabeled: What there is to choose from; None leaves it to `pool` and `labeled`.
        pool: Size of the pool, when `unlabeled` is not given.
        labeled: Samples that must not be chosen.
    """

    op: Literal["select"]
    seed: int = Field(ge=0)
    loop: int = Field(ge=0)
    batch: int = Field(ge=1)
    strategy: list[StrategyShare] = Field(min_length=1)
    tie_break: Literal["seeded", "index"] = "seeded"
    dedup: Literal["exact"] | None = "exact"
    subsample: int | None = Field(default=None, ge=1)
    output: str | None = None
    classes: int | None = None
    result: ResultSource | None = None
    unlabeled: list[int] | None = None
    pool: int | None = Field(default=None, ge=0)
    labeled: list[int] | None = None


class MetricsRequest(_Question):
    """Judge a model.

    Attributes:
        class_names: In column order; None when only the count is known.
        output: What bare rows of scores hold: `logits` or `probabilities`.
        chooses_by_scores: Whether samples are chosen by what such a model says of them.
        result: Of `test`.
    """

    op: Literal["metrics"]
    task: str = "classification"
    classes: int | None = Field(default=None, ge=1)
    class_names: list[str] | None = None
    output: str | None = None
    chooses_by_scores: bool = True
    result: ResultSource


REQUEST: TypeAdapter[SelectRequest | MetricsRequest] = TypeAdapter(
    Annotated[SelectRequest | MetricsRequest, Field(discriminator="op")]
)
"""Reads a request of either kind."""
