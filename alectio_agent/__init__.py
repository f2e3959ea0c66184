"""A worker that sits beside the data and runs active-learning loops over outbound HTTPS only.

Hooks may import `progress`, `track`, `should_stop`, `Stopped` and `CheckpointMissing` from here,
scripts of the old SDK `Pipeline`; nothing else is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alectio_agent.agent.hooks.child.helpers import (
        CheckpointMissing,
        Stopped,
        progress,
        should_stop,
        track,
    )
    from alectio_agent.pipeline import Pipeline

__all__ = ["CheckpointMissing", "Pipeline", "Stopped", "progress", "should_stop", "track"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Pipeline":
        pipeline = import_module("alectio_agent.pipeline")
        pipeline.prepare_script()
        return pipeline.Pipeline
    return getattr(import_module("alectio_agent.agent.hooks.child.helpers"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
