"""The model of `experiment.yaml`."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    WithJsonSchema,
    model_validator,
)

from alectio_agent.core.setting_error import SettingError
from alectio_agent.wire.claims import Output, Task
from alectio_agent.wire.labelling import EXCLUDED, Duration, Labels
from alectio_agent.wire.names import ExperimentName, PipelineName
from alectio_agent.wire.selection import (
    DEFAULT_STRATEGY,
    SCORE_FREE_STRATEGIES,
    Growth,
    Initial,
    ScheduledStrategy,
    Settings,
    Strategy,
    StrategyPart,
)

METRIC_NAMES = ("accuracy", "macro_f1", "macro_precision", "macro_recall")
CONTROL_SUFFIX = "-control"

DEFAULT_OUTPUT: dict[str, Output | None] = {
    "classification": "logits",
    "multi_label": "multilabel_logits",
    "regression": "regression",
    "object_detection": "detection",
    "segmentation": None,
    "custom": None,
}


class Target(Settings):
    """Stop when a metric has been at least `value` for `patience` loops in a row.

    Attributes:
        metric: Its name.
        value: To be reached.
        patience: Number of loops.
    """

    metric: Literal["accuracy", "macro_f1", "macro_precision", "macro_recall"]
    value: float
    patience: PositiveInt = 1


class Stop(Settings):
    """Hard stops besides the number of loops.

    Attributes:
        max_labels: End when so many samples are labelled.
        target: End when a metric is good enough.
    """

    max_labels: PositiveInt | None = None
    target: Target | None = None


def _distinct_names(classes: int | list[str]) -> int | list[str]:
    if isinstance(classes, list):
        twice = {name for name in classes if classes.count(name) > 1}
        if twice:
            raise ValueError(f"found class {min(twice)!r} twice, expected distinct names")
        if not all(name.strip() for name in classes):
            raise ValueError("found a class without a name, expected distinct names")
        if len(classes) < 2:
            noun = "class" if len(classes) == 1 else "classes"
            raise ValueError(f"found {len(classes)} {noun}, expected at least two")
    elif classes < 2:
        raise ValueError(f"found {classes}, expected at least two classes")
    return classes


Classes = Annotated[
    int | list[str],
    AfterValidator(_distinct_names),
    Field(description="the names of the classes, or their count"),
]


class ExperimentSettings(Settings):
    """All keys of `experiment.yaml`.

    Attributes:
        name: Becomes a folder.
        pipeline: Which of the agent's runs it; None takes the only one.
        task: What is learned.
        classes: Names in column order, or a count; None for tasks without classes.
        output: What `infer` returns; None takes the task's usual one.
        pool: Number of samples; None takes the pipeline's.
        seed: Every random draw comes from it.
        batch: Samples per loop; a list gives each loop's, its last value the rest.
        loops: How many.
        initial: The choice before there is a model.
        strategy: Parts whose shares sum to 1.
        schedule: Strategies that take over later.
        tie_break: Among equal scores: by a seeded hash, or by index.
        dedup: Equal rows are not chosen twice in one batch; None switches it off.
        subsample: Score only this many random pool items.
        labels: Where they come from.
        stop: When to end before the last loop.
        control: `replay` runs the same again with random choice.
        tags: Only agents with all of them run it.
        affinity: `strict`: only agents that hold the checkpoint.
        retries: How often `timeout`, `oom` and `crash` are tried again in one loop.
        affinity_timeout: Seconds until a job nobody started is offered to any agent.
        takeover_after: Seconds after a lease ran out; None is `auto`.
    """

    name: ExperimentName
    pipeline: PipelineName | None = None
    task: Task = "classification"
    classes: Classes | None = None
    output: Output | None = None
    pool: PositiveInt | None = None
    seed: NonNegativeInt = 0
    batch: PositiveInt | Annotated[list[PositiveInt], Field(min_length=1)] | Growth = Field(
        description="a number of 1 or more, a list of them, or {start: ..., growth: ..., max: ...}"
    )
    loops: PositiveInt
    initial: Initial = Initial()
    strategy: Strategy = list(DEFAULT_STRATEGY)
    schedule: list[ScheduledStrategy] = []
    tie_break: Literal["seeded", "index"] = "seeded"
    dedup: Literal["exact"] | None = "exact"
    subsample: PositiveInt | None = None
    labels: Labels = Labels()
    stop: Stop = Stop()
    control: Literal["none", "replay"] = "none"
    tags: list[str] = []
    retries: NonNegativeInt = 2
    affinity: Literal["prefer", "strict"] = "prefer"
    affinity_timeout: Duration = 3600.0
    takeover_after: Annotated[
        Duration | None,
        WithJsonSchema({"type": ["string", "number", "null"], "examples": ["auto", "2h"]}),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _auto_is_none(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("takeover_after") == "auto":
            return {**raw, "takeover_after": None}
        return raw

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        broken = []
        if self.task == "classification" and self.classes is None:
            broken.append(
                SettingError(
                    "missing; expected the names of the classes, or their count",
                    key="classes",
                    depends_on=("task",),
                    missing=True,
                )
            )
        if self.control == "replay":
            broken += self._unfit_for_a_control()
        if self.labels.are_asked_for:
            broken += self._unfit_for_people()
        if self.output_kind not in ("logits", "probabilities"):
            broken += self._strategies_without_scores()
        SettingError.raise_any(broken)
        return self

    def _unfit_for_a_control(self) -> list[SettingError]:
        longest = 64 - len(CONTROL_SUFFIX)
        if self.name.endswith(CONTROL_SUFFIX):
            said = f"found '{self.name}', expected a name that does not end in {CONTROL_SUFFIX}"
        elif len(self.name) > longest:
            said = f"found a name of {len(self.name)} letters, expected at most {longest}"
        else:
            return []
        reason = "`control: replay` adds that to make its own name"
        return [SettingError(f"{said}; {reason}", key="name", depends_on=("control",))]

    def _unfit_for_people(self) -> list[SettingError]:
        broken = []
        if self.control == "replay":
            said = (
                "found 'replay', which needs the labels of samples that nobody is asked for; "
                "expected `control: none`, or `labels: {kind: known}`"
            )
            broken.append(SettingError(said, key="control", depends_on=("labels.kind",)))
        if EXCLUDED in (self.class_names or []):
            said = f"found a class '{EXCLUDED}', which means an excluded sample; expected another"
            broken.append(SettingError(said, key="classes", depends_on=("labels.kind",)))
        return broken

    def _strategies_without_scores(self) -> list[SettingError]:
        return [
            SettingError(
                f"found '{part.name}', which needs `output: logits` or `output: probabilities`, "
                f"not {self.output_kind or 'none'}; expected `strategy: random`",
                key=key,
                depends_on=("output", "task"),
            )
            for key, parts in self._placed_strategies()
            for part in [part for part in parts if part.name not in SCORE_FREE_STRATEGIES][:1]
        ]

    def _placed_strategies(self) -> list[tuple[str, list[StrategyPart]]]:
        return [("strategy", self.strategy)] + [
            (f"schedule.{at}.strategy", entry.strategy) for at, entry in enumerate(self.schedule)
        ]

    @property
    def chooses_by_scores(self) -> bool:
        """Whether any batch is chosen by what the model says; a control's is chosen by chance."""
        return not set(self.strategy_names) <= set(SCORE_FREE_STRATEGIES)

    @property
    def strategy_names(self) -> list[str]:
        """The strategies that batches after the first are chosen by, each once."""
        names = {part.name for _, parts in self._placed_strategies() for part in parts}
        return sorted(names)

    @property
    def output_kind(self) -> Output | None:
        """What `infer` returns, with the task's usual kind filled in."""
        return self.output or DEFAULT_OUTPUT[self.task]

    @property
    def class_count(self) -> int | None:
        """Number of classes; None for tasks without."""
        return len(self.classes) if isinstance(self.classes, list) else self.classes

    @property
    def class_names(self) -> list[str] | None:
        """Names in column order; None when only the count is known."""
        return self.classes if isinstance(self.classes, list) else None

    def batch_of(self, loop: int) -> int:
        """How many samples are chosen for one loop.

        Args:
            loop: From 0.

        Returns:
            At least 1.
        """
        if loop == 0 and self.initial.size is not None:
            return self.initial.size
        if isinstance(self.batch, int):
            return self.batch
        if isinstance(self.batch, list):
            return self.batch[min(loop, len(self.batch) - 1)]
        return self.batch.at(loop)

    def strategy_at(self, labelled: int) -> list[StrategyPart]:
        """The strategy in force once so many samples are labelled.

        Args:
            labelled: Number of labelled samples.

        Returns:
            The parts of the last schedule entry reached, else of `strategy`.
        """
        reached = [entry for entry in self.schedule if entry.from_labels <= labelled]
        return (
            max(reached, key=lambda entry: entry.from_labels).strategy if reached else self.strategy
        )

    def as_control(self) -> "ExperimentSettings":
        """The control of this experiment: the same with random selection."""
        return self.model_copy(
            update={
                "name": self.name + CONTROL_SUFFIX,
                "strategy": [StrategyPart(name="random")],
                "schedule": [],
                "control": "none",
            }
        )
