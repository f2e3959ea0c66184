"""Where labels come from, as `experiment.yaml` says it."""

import math
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from alectio_agent.core.setting_error import SettingError
from alectio_agent.core.units import parse_duration, write_duration
from alectio_agent.wire.selection import Settings

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {"type": ["string", "number"], "minimum": 0, "examples": ["30s", "5m", "1h 30m", "7d"]}
    ),
]
EXCLUDED = "-"
"""What people write instead of a label: this sample cannot be labelled."""


class Labels(Settings):
    """Where labels come from.

    Attributes:
        kind: `known`: they lie with the hooks; `csv`: people are asked, in CSV files.
        timeout: Seconds after which a loop goes on with the labels that are there; None waits.
        min_returned: Share of a batch that must have come back before its loop goes on.
    """

    kind: Literal["known", "csv"] = "known"
    timeout: Duration | None = None
    min_returned: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _only_when_people_are_asked(self) -> Self:
        if not self.are_asked_for:
            found = {
                "timeout": "" if self.timeout is None else write_duration(self.timeout),
                "min_returned": "" if self.min_returned == 1 else f"{self.min_returned:g}",
            }
            SettingError.raise_any([_out_of_place(*each) for each in found.items() if each[1]])
        return self

    @property
    def are_asked_for(self) -> bool:
        """Whether people are asked for labels of each batch."""
        return self.kind != "known"

    def needed_of(self, batch: int) -> int:
        """How many samples must have come back.

        Args:
            batch: Number of samples that were asked for.

        Returns:
            At least 1, at most the batch.
        """
        # Not 8 of 100 for a share of 0.07, which is a little more as a float.
        return max(1, math.ceil(self.min_returned * batch - 1e-9))


def _out_of_place(key: str, value: str) -> SettingError:
    return SettingError(
        f"found {value}, which is about labels that people give; expected `kind: csv` beside it, "
        "or no such key",
        key=key,
        depends_on=("kind",),
    )
