"""The entries of `pipelines`: the user's functions, and how to run them."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PositiveInt, PrivateAttr, ValidationInfo, model_validator

from alectio_agent.config.lookup import state_of_service
from alectio_agent.config.section import Section
from alectio_agent.config.share import ShareSettings
from alectio_agent.config.sizes import MemoryLimit
from alectio_agent.config.slots import ANY_SLOT, PipelineSlots
from alectio_agent.config.timeouts import TimeoutSettings
from alectio_agent.config.values import (
    AbsolutePath,
    EnvText,
    HookReference,
    InterpreterPath,
    KeepWarm,
    Name,
    VariableName,
    surroundings,
)
from alectio_agent.core.setting_error import SettingError


class HookFunctions(Section):
    """Hooks that lie in several places, each as `package.module:function`.

    Attributes:
        train: Trains on the labelled samples.
        test: Predicts the test set.
        infer: Scores the unlabelled samples.
        state: Names the samples; None when they have no names.
        script: Imported before them; a function of it is named without a module.
    """

    train: HookReference
    test: HookReference
    infer: HookReference
    state: HookReference | None = None
    script: AbsolutePath | None = None

    def references(self) -> dict[str, str]:
        """Name of each hook that is given, to its `package.module:function`."""
        return self.model_dump(exclude={"script"}, exclude_none=True)

    @model_validator(mode="after")
    def _bare_names_are_the_scripts(self) -> Self:
        bare = [key for key, name in self.references().items() if ":" not in name]
        if self.script is None:
            SettingError.raise_any([_no_module(key, getattr(self, key)) for key in bare])
        return self


@dataclass(frozen=True)
class ScriptStart:
    """How a script was started by itself.

    Attributes:
        module: Name that `python -m` was given; None for a file.
        line: Where the Pipeline was made that was called; None when no import meets it.
        nth: Which of those that this line makes, from 0 on.
    """

    module: str | None = None
    line: int | None = None
    nth: int = 0


class CheckpointSettings(Section):
    """Where a pipeline's checkpoints lie.

    Attributes:
        dir: Holds a folder per experiment; `checkpoints` beside the file by default, for a file
            below /etc/alectio-agent in the state folder of its service.
        keep: How many of the newest are kept, per experiment.
        store: Agents that give the same name share this disk; None for the agent's own.
    """

    dir: AbsolutePath = Path("checkpoints")
    keep: PositiveInt = 2
    store: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_service(cls, raw: Any, info: ValidationInfo) -> Any:
        """A service may write nothing below /etc."""
        state = state_of_service(surroundings(info).folder)
        if isinstance(raw, dict) and state:
            return {"dir": f"{state}/checkpoints", **raw}
        return raw


class PipelineSettings(Section):
    """One entry of `pipelines`: the user's functions, and how to run them.

    Attributes:
        hooks: File that holds `train`, `test`, `infer` and perhaps `state`; or the four by name.
        python: Interpreter of the hook process; the agent's own by default.
        cwd: Working folder, and first on `sys.path`; the folder of `hooks` by default.
        env: Added to the agent's environment.
        env_file: `KEY=value` lines, added after `env`.
        pool_size: Number of samples; None asks `state()`, then the experiment.
        args: Handed to the hooks.
        checkpoints: Where `train` writes, and what stays of it.
        argv: The script's own arguments: `sys.argv[1:]` of the hook process.
        timeout: How long a step may take.
        memory: Bytes that the hook process may take with all that it starts, 16 MiB or
            more; None for no limit.
        keep_warm: Seconds until an idle hook process ends; None for never.
        slots: Where its jobs may run.
        share: What may leave the site.
    """

    hooks: AbsolutePath | HookFunctions
    python: InterpreterPath = Field(default_factory=lambda: Path(sys.executable))
    cwd: AbsolutePath = Path()
    env: dict[VariableName, EnvText] = {}
    env_file: AbsolutePath | None = None
    pool_size: PositiveInt | None = None
    args: dict[str, Any] = {}
    argv: list[EnvText] = []
    checkpoints: CheckpointSettings = Field(default_factory=CheckpointSettings)
    timeout: TimeoutSettings = Field(default_factory=TimeoutSettings)
    memory: MemoryLimit | None = None
    keep_warm: KeepWarm = 300.0
    slots: PipelineSlots = ANY_SLOT
    share: ShareSettings = Field(default_factory=ShareSettings)
    _start: ScriptStart | None = PrivateAttr(default=None)  # no key: nobody writes it into a file

    @property
    def keep_warm_s(self) -> float | None:
        """`keep_warm`, for readers who need to see the unit."""
        return self.keep_warm

    def may_run_in(self, slot: int) -> bool:
        """Whether its jobs may run in a slot.

        Args:
            slot: Its position, from 0 on.
        """
        return self.slots == ANY_SLOT or slot in self.slots

    @property
    def start(self) -> ScriptStart | None:
        """How a script was started by itself; None for a run of the configuration."""
        return self._start

    def started(self, start: ScriptStart) -> None:
        """Remember how the script was started that is to run.

        Args:
            start: As its `Pipeline` told.
        """
        self._start = start

    @property
    def hooks_file(self) -> Path | None:
        """The file that is imported for the hooks; None when they are modules only."""
        return self.hooks.script if isinstance(self.hooks, HookFunctions) else self.hooks

    @model_validator(mode="before")
    @classmethod
    def _cwd_is_beside_the_hooks(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        filled = {"checkpoints": {}, "timeout": {}, **raw}
        hooks = raw.get("hooks")
        if isinstance(hooks, dict):
            hooks = hooks.get("script")
        if isinstance(hooks, str | Path) and "cwd" not in raw:
            filled["cwd"] = Path(hooks).parent
        return filled


def _no_module(key: str, name: str) -> SettingError:
    return SettingError(
        f"found '{name}', expected a function such as package.module:{name}, or also `script`, "
        "the file that holds it",
        key=key,
    )
