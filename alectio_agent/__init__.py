"""A worker that sits beside the data and runs active-learning loops over outbound HTTPS only.

Hooks may import `progress`, `track` and `CheckpointMissing` from here; nothing else is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alectio_agent.agent.hooks.child.helpers import CheckpointMissing, progress, track

__all__ = ["CheckpointMissing", "progress", "track"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("alectio_agent.agent.hooks.child.helpers"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
