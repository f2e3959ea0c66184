"""Sizes that make sense only above some least one: a bare number is bytes, and rarely meant so."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from alectio_agent.config.values import SIZE_SCHEMA, Size, SizeLimit
from alectio_agent.core.units import write_size

MIB = 2**20
LEAST_KEPT = MIB
"""For results, or logs: less than any single one takes."""
LEAST_MEMORY = 16 * MIB
"""An interpreter that has imported nothing takes about as much."""


def _check(value: int, least: int) -> int:
    if value < least:
        raise ValueError(f"expected at least {write_size(least)} (a number without unit is bytes)")
    return value


def _kept(value: int) -> int:
    return _check(value, LEAST_KEPT)


def _memory(value: int) -> int:
    return _check(value, LEAST_MEMORY)


KeptSize = Annotated[
    Size, AfterValidator(_kept), WithJsonSchema({**SIZE_SCHEMA, "minimum": LEAST_KEPT})
]
MemoryLimit = Annotated[
    SizeLimit, AfterValidator(_memory), WithJsonSchema({**SIZE_SCHEMA, "minimum": LEAST_MEMORY})
]
