"""Modules that user code imports and that its interpreter does not have: ours, and the old SDK's.

They stand in `sys.modules` even where the packages are installed: in the hook process `Pipeline`
must not start anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from alectio_agent.agent.hooks.child.helpers import (
    CheckpointMissing,
    Stopped,
    progress,
    should_stop,
    track,
)

OLD_SDK = (
    "alectio_sdk",
    "alectio_sdk.flask_wrapper",
    "alectio_sdk.flask_wrapper.pipeline",
    "alectio_sdk.sdk",
    "alectio_sdk.sdk.pipeline",
)


class Pipeline:
    """Remembers the functions that a script of the old SDK names; calling it returns at once."""

    registered: list[Pipeline] = []  # noqa: RUF012 - replaced by `install_standins`

    def __init__(
        self,
        name: Any = None,
        train_fn: Optional[Callable[..., Any]] = None,
        test_fn: Optional[Callable[..., Any]] = None,
        infer_fn: Optional[Callable[..., Any]] = None,
        getstate_fn: Optional[Callable[..., Any]] = None,
        args: Any = None,
        **ignored: Any,  # noqa: ARG002 - token, multi_gpu, ... of any version
    ) -> None:
        """Register.

        Args:
            name: Tells several Pipelines of a script apart.
            train_fn: The hook `train`.
            test_fn: The hook `test`.
            infer_fn: The hook `infer`.
            getstate_fn: The hook `state`.
            args: Defaults below those of agent.yaml, when it is a mapping.
            ignored: Whatever else the script's version had.
        """
        self.name = name
        self.args = dict(args) if isinstance(args, dict) else {}
        self.functions = {
            "train": train_fn,
            "test": test_fn,
            "infer": infer_fn,
            "state": getstate_fn,
        }
        caller = sys._getframe(1)  # noqa: SLF001 - every CPython has it
        self.place = (str(caller.f_globals.get("__name__")), caller.f_lineno)
        self.registered.append(self)

    def __call__(self, *_: Any, **__: Any) -> None:
        """Serving is the agent's work: nothing happens."""

    def run(self, *_: Any, **__: Any) -> None:
        """As calling it."""


def install_standins(registered: list[Pipeline]) -> None:
    """Put the modules into `sys.modules`.

    Args:
        registered: Pipelines that scripts make are appended here.
    """
    Pipeline.registered = registered
    ours = sys.modules["alectio_agent"]
    for value in (progress, track, should_stop, CheckpointMissing, Stopped, Pipeline):
        setattr(ours, value.__name__, value)
    for name in OLD_SDK:
        _install(name)


def _install(name: str) -> None:
    module = ModuleType(name)
    module.__path__ = _real_folders(name)
    vars(module)["Pipeline"] = Pipeline
    sys.modules[name] = module
    parent, _, word = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], word, module)


def _real_folders(name: str) -> list[str]:
    """Where the real package lies, if it is installed: its other modules stay importable."""
    top, *inside = name.split(".")
    found = PathFinder.find_spec(top)
    if found is None or found.submodule_search_locations is None:
        return []
    return [str(Path(folder, *inside)) for folder in found.submodule_search_locations]
