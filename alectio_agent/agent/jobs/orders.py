"""The steps of a job that are left to do, kept small: a claim may name millions of samples."""

from array import array
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from alectio_agent.wire.claims import Claim, Step


@dataclass(frozen=True)
class Order:
    """One step to run.

    Attributes:
        payload: As on the wire; samples in increasing order, eight bytes each: as Python numbers
            they would fill five times as much for as long as the job takes.
    """

    step: Step
    payload: dict[str, Any]


def open_orders(claim: Claim, done: Collection[str]) -> list[Order]:
    """What is left to do of a job.

    Args:
        claim: The job.
        done: Steps whose result is durable.

    Returns:
        An order for each other step; hooks get indices in increasing order, whatever order the
        platform sent.
    """
    return [
        Order(order.step, {name: _packed(value) for name, value in order.payload})
        for order in claim.steps
        if order.step not in done
    ]


def _packed(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    samples = sorted(value)
    try:
        return array("q", samples)
    except OverflowError:  # a pool larger than any that there can be
        return samples
