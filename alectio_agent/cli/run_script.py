"""The configuration of a run that a script of the old SDK started."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alectio_agent.cli.settings import load_experiment_file
from alectio_agent.config.layers import Flag
from alectio_agent.config.loader import load
from alectio_agent.config.lookup import FILE_NAME, find_if_any
from alectio_agent.config.pipeline import ScriptStart
from alectio_agent.config.problems import shown_path
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.yaml_lines import read_document
from alectio_agent.core.errors import ConfigError

EXPERIMENT = "experiment.yaml"
URL_VARIABLE = "ALECTIO_AGENT_PLATFORM__URL"


@dataclass(frozen=True)
class ScriptRun:
    """A script, and what its `Pipeline` said.

    Attributes:
        file: The script; absolute.
        pipeline: Which pipeline of `agent.yaml` is meant, when there are several.
        hooks: Functions by step, when the hook process would not find them by itself.
        args: Below those of `agent.yaml`.
        argv: The script's own arguments.
        start: By `python -m` or as a file, and which of its Pipelines was called.
    """

    file: Path
    pipeline: str
    hooks: Mapping[str, str]
    args: Mapping[str, Any]
    argv: tuple[str, ...] = ()
    start: ScriptStart = field(default_factory=ScriptStart)

    @property
    def command(self) -> str:
        """What a person typed to start it."""
        name = self.start.module
        words = ["-m", name] if name else [shown_path(self.file)]
        return shlex.join(["python", *words, *self.argv])

    @property
    def init(self) -> str:
        """What writes an `agent.yaml` beside it."""
        file, folder = shown_path(self.file), shown_path(self.file.parent)
        return f"alectio-agent init {shlex.quote(folder)} --from {shlex.quote(file)}"

    def load(self, config: Path | None) -> tuple[AgentFile, Path]:
        """Find the configuration and put the script into it.

        Args:
            config: As given on the command line.

        Returns:
            The settings, and the file they came from; that file need not exist.

        Raises:
            ConfigError: There is nothing to run the script for, or it does not say which pipeline
                is meant, or the file has problems.
        """
        folder = self.file.parent
        file = find_if_any(config, os.environ, Path.cwd(), beside=folder)
        if file is None:
            return self._alone(folder), folder / FILE_NAME
        pipelines = _pipelines(file)
        name = self._pick(file, pipelines)
        flags = self._flags(name, pipelines.get(name))
        settings = load(file, AgentFile, os.environ, flags, looks_into_files=True)
        return self._started(settings, name), file

    def _alone(self, folder: Path) -> AgentFile:
        """The settings without any `agent.yaml`."""
        experiment, name = folder / EXPERIMENT, self.pipeline
        flags: dict[Flag, object] = {}
        if experiment.is_file():
            name = load_experiment_file(experiment).pipeline or name
            flags["experiment"] = str(experiment)
        elif not os.environ.get(URL_VARIABLE):
            raise ConfigError(
                f"nothing says what to run {shown_path(self.file)} for: found no {FILE_NAME}, no "
                f"{EXPERIMENT} beside the script, and ${URL_VARIABLE} is not set",
                hint=f"Write both: {self.init}",
                code="E-RUN-06",
            )
        flags.update(self._flags(name, None))
        file = folder / FILE_NAME
        settings = load(
            file, AgentFile, os.environ, flags, may_be_absent=True, looks_into_files=True
        )
        return self._started(settings, name)

    def _started(self, settings: AgentFile, name: str) -> AgentFile:
        settings.pipelines[name].started(self.start)
        return settings

    def _pick(self, file: Path, pipelines: Mapping[str, Any]) -> str:
        if len(pipelines) <= 1:
            return next(iter(pipelines), self.pipeline)
        if self.pipeline in pipelines:
            return self.pipeline
        ours = [name for name, entry in pipelines.items() if self._is_ours(file, entry)]
        if len(ours) == 1:
            return ours[0]
        raise ConfigError(
            f"{shown_path(file)} has the pipelines {', '.join(pipelines)}; expected one that is "
            f"called `{self.pipeline}`, as the script's Pipeline(name=...), or one with "
            f"`hooks: {shown_path(self.file)}`",
            code="E-RUN-06",
        )

    def _is_ours(self, file: Path, entry: Any) -> bool:
        hooks = entry.get("hooks") if isinstance(entry, dict) else None
        hooks = hooks.get("script") if isinstance(hooks, dict) else hooks
        return isinstance(hooks, str) and (file.parent / hooks).resolve() == self.file.resolve()

    def _flags(self, name: str, entry: Any) -> dict[Flag, object]:
        given = entry if isinstance(entry, dict) else {}
        hooks: object = str(self.file)
        if self.hooks:
            hooks = {**self.hooks, "script": hooks}
        flags: dict[Flag, object] = {
            ("pipelines", name, "hooks"): hooks,
            ("pipelines", name, "argv"): list(self.argv),
        }
        if self.start.module and "cwd" not in given:
            flags["pipelines", name, "cwd"] = str(Path.cwd())
        if self.args:
            known = given.get("args")
            flags["pipelines", name, "args"] = {
                **self.args,
                **(known if isinstance(known, dict) else {}),
            }
        return flags


def _pipelines(file: Path) -> dict[str, Any]:
    """The pipelines as they stand in a file; nothing when there are none, whatever stands there."""
    value = read_document(file).value
    found = value.get("pipelines") if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
