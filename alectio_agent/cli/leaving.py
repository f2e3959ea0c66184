"""The closed list of what can leave under a configuration."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from alectio_agent.cli.leaving_words import CALLS, FIELDS, Field
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.share import ShareSettings
from alectio_agent.wire.agents import Registration
from alectio_agent.wire.claims import ClaimRequest
from alectio_agent.wire.labels import LabelImport
from alectio_agent.wire.operation import (
    AgentRemove,
    ExperimentCreate,
    ExperimentExtend,
    ExperimentRetry,
    ExperimentRewind,
    ExperimentUpdate,
    TokenCreate,
)
from alectio_agent.wire.results import Heartbeat, JobFailure, StepCommit

MODELS: Mapping[str, type[BaseModel]] = {
    "register": Registration,
    "poll": ClaimRequest,
    "beat": Heartbeat,
    "commit": StepCommit,
    "fail": JobFailure,
}
"""Calls of the agent whose body is a record."""
TYPED_MODELS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "experiment": (
        ExperimentCreate, ExperimentUpdate, ExperimentExtend, ExperimentRetry, ExperimentRewind,
    ),
    "labels": (LabelImport,),
    "hub": (TokenCreate, AgentRemove),
}  # fmt: skip
"""The same, of commands that a person types."""


class LeavingField(BaseModel):
    """Something that can leave the site.

    Attributes:
        call: With which call.
        field: Name on the wire, those of records within with a dot between.
        holds: In words.
        key: Of `pipelines.NAME.share` that governs it; None: it always leaves.
        leaves: Name of each pipeline to `yes`, `no`, or what leaves instead.
    """

    call: str
    field: str
    holds: str
    key: str | None
    leaves: dict[str, str]


def leaving(pipelines: Mapping[str, PipelineSettings]) -> list[LeavingField]:
    """Everything that can leave, call by call.

    Args:
        pipelines: As they are configured.
    """
    hosts = all(each.share.host == "name" for each in pipelines.values())
    shares = {name: each.share for name, each in pipelines.items()}
    if not hosts:  # one name for all: the strictest counts
        shares = {name: each.model_copy(update={"host": "none"}) for name, each in shares.items()}
    return [
        _leaving(path, field, shares)
        for call in CALLS
        for path, field in FIELDS.items()
        if path.startswith(f"{call}.")
    ]


def wire_fields(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """The fields of a record, those of records within with a dot between.

    Args:
        model: Of the record.
        before: Stands before each name.
    """
    for name, field in model.model_fields.items():
        path = f"{before}{field.alias or name}"
        inner = next(_records(field.annotation), None)
        if inner is None:
            yield path
        else:
            yield from wire_fields(inner, f"{path}.")


def _records(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _records(each)


def _leaving(path: str, field: Field, shares: Mapping[str, ShareSettings]) -> LeavingField:
    call, _, name = path.partition(".")
    leaves = {pipeline: _word(field, share) for pipeline, share in shares.items()}
    return LeavingField(
        call=call, field=name, holds=field.holds, key=field.key or None, leaves=leaves
    )


def _word(field: Field, share: ShareSettings) -> str:
    if not field.key or getattr(share, field.key) in field.opens:
        return "yes"
    return field.instead or "no"
