"""Section `slots` of `agent.yaml`: jobs side by side, and the GPUs of each."""

from typing import Annotated, Literal

from pydantic import Field

from alectio_agent.config.section import Section

ANY_SLOT: Literal["any"] = "any"
GpuUuid = Annotated[str, Field(pattern=r"^(GPU|MIG)-[A-Za-z0-9/-]{1,120}$")]
Gpu = Annotated[
    Annotated[int, Field(ge=0)] | GpuUuid,
    Field(description="a GPU's number as in nvidia-smi, or its UUID such as GPU-8f3c..."),
]
PipelineSlots = Annotated[
    Literal["any"] | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)],
    Field(description="any, or a list of slots by their position from 0 on, such as [0]"),
]


class SlotSettings(Section):
    """One entry of `slots`: it runs one job at a time.

    Attributes:
        gpus: That its hooks see; an empty list for none, null for all.
    """

    gpus: list[Gpu] | None = None
