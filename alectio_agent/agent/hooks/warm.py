"""A hook process that has its hooks loaded, and what is known of it."""

from dataclasses import dataclass, field
from pathlib import Path

from alectio_agent.agent.hooks.child_process import ChildProcess, Report
from alectio_agent.agent.hooks.commands import ADDED_ARGS
from alectio_agent.agent.hooks.edited_files import EditedFiles
from alectio_agent.agent.hooks.provenance import Code, CodeReader, Provenance
from alectio_agent.config.pipeline import PipelineSettings


@dataclass
class Warm:
    """A process with its hooks loaded.

    Attributes:
        key: Pipeline and experiment that it works for.
        loaded: What it said when its hooks were loaded.
        idle_since_s: By the monotonic clock.
        has_run: A step ran in it: globals may hold what that step left.
    """

    process: ChildProcess
    key: tuple[str, PipelineSettings, str]
    files: EditedFiles
    idle_since_s: float
    code: CodeReader
    loaded: Report
    has_run: bool = False
    _noted: list[str] = field(default_factory=list)

    def note(self, files: list[str]) -> None:
        """Note the files that the process has read by now: nearly always those known already.

        Args:
            files: Paths, as the process told them.
        """
        if files != self._noted:
            self.files.note(map(Path, files))
            self._noted = files

    def made_of(self, code: Code, told: Report) -> Provenance:
        """What a model was trained with.

        Args:
            code: As it was when the step began.
            told: How the step ended.
        """
        args = {name: value for name, value in told["args"].items() if name not in ADDED_ARGS}
        return Provenance(code, self.key[1].python, self.loaded["interpreter"], args)
