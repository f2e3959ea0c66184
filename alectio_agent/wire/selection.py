"""How samples are chosen, as `experiment.yaml` says it: strategies, their shares, sizes of batches.

Names of strategies are a plain tuple, found without numpy.
"""

import math
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from alectio_agent.core.setting_error import SettingError

StrategyName = Literal["random", "least_confidence", "margin", "ratio", "entropy", "diverse_margin"]
STRATEGY_NAMES: tuple[str, ...] = get_args(StrategyName)
SCORE_FREE_STRATEGIES: tuple[str, ...] = ("random",)


class Settings(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StrategyPart(Settings):
    """One part of a batch: a strategy and its share of the batch.

    Attributes:
        name: Of the strategy.
        share: Of the batch; all shares sum to 1.
    """

    name: StrategyName
    share: float = Field(default=1.0, gt=0, le=1)


class Growth(Settings):
    """Batches that grow: `start`, then times `growth` each loop, at most `max`.

    Attributes:
        start: Samples in the first batch.
        growth: Each batch is so many times the one before.
        max: No batch is larger.
    """

    start: PositiveInt
    growth: float = Field(gt=1)
    max: PositiveInt

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.start:
            raise SettingError(
                f"found {self.max}, expected at least `start`, which is {self.start}",
                key="max",
                depends_on=("start",),
            )
        return self

    def at(self, loop: int) -> int:
        """The batch of one loop.

        Args:
            loop: From 0.

        Returns:
            From `start` to `max`.
        """
        # Not computed far beyond the cap: the power of a long experiment is no float any more.
        if loop >= math.log(self.max / self.start, self.growth):
            return self.max
        return min(self.max, round(self.start * self.growth**loop))


class Initial(Settings):
    """The selection of loop 0, made before there is a model.

    Attributes:
        strategy: How its samples are chosen.
        size: How many; None takes that of the batch.
    """

    strategy: Literal["random"] = "random"
    size: PositiveInt | None = None


def _as_parts(value: Any) -> Any:
    """A bare name, one mapping, or a list of either, as a list of mappings."""
    entries = value if isinstance(value, list) else [value]
    return [{"name": entry} if isinstance(entry, str) else entry for entry in entries]


def _shares_sum_to_one(parts: list[StrategyPart]) -> list[StrategyPart]:
    if not parts:
        raise ValueError("found no strategy, expected at least one")
    total = sum(part.share for part in parts)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"found shares that sum to {total:g}, expected a sum of 1")
    return parts


class _NameOrParts:
    """Tells the schema what `_as_parts` accepts."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """A name, a part, or a list of either."""
        listed = handler(core_schema)
        one = [{"type": "string", "enum": list(STRATEGY_NAMES)}, listed["items"]]
        return {"anyOf": [*one, {**listed, "items": {"anyOf": one}, "minItems": 1}]}


Strategy = Annotated[
    list[StrategyPart],
    _NameOrParts(),
    BeforeValidator(_as_parts),
    AfterValidator(_shares_sum_to_one),
    Field(description="the name of a strategy, or a list of {name: ..., share: ...}"),
]


class ScheduledStrategy(Settings):
    """A strategy that takes over once this many samples are labelled.

    Attributes:
        from_labels: Number of labelled samples.
        strategy: In force from then on.
    """

    from_labels: NonNegativeInt
    strategy: Strategy


DEFAULT_STRATEGY = (
    StrategyPart(name="diverse_margin", share=0.9),
    StrategyPart(name="random", share=0.1),
)
