"""The variables that a hook process sees: the agent's less its secrets, and the pipeline's."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alectio_agent.agent.hooks.activation import activate
from alectio_agent.agent.hooks.checkpoints import LOG_FOLDER
from alectio_agent.agent.hooks.env_file import read_env_file
from alectio_agent.agent.hooks.gpus import gpu_order
from alectio_agent.agent.hooks.processes import MARKER_VARIABLE
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.disk_errors import FAILING, FULL, store_error
from alectio_agent.core.errors import HookLoadError

SECRET_STARTS = ("ALECTIO_AGENT_", "ALECTIO_HUB", "WATCHDOG_", "LISTEN_")
NO_PINS: Mapping[str, str] = {}
_CREDENTIALS = re.compile(r"^(\w+://)?[^/]*@")
"""Before the host of a proxy, with or without `http://` before them."""
SECRETS = {"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "MAINPID"}


@dataclass(frozen=True)
class ExperimentFolders:
    """The folders of one experiment, as the hooks know them.

    Attributes:
        experiment: `EXPT_DIR`.
    """

    experiment: Path

    @cached_property
    def log(self) -> Path:
        """`LOG_DIR`."""
        return self.experiment / LOG_FOLDER

    @property
    def variables(self) -> dict[str, str]:
        """How the hooks find them."""
        return {"EXPT_DIR": str(self.experiment), "LOG_DIR": str(self.log)}

    def make(self) -> None:
        """Make both.

        Raises:
            StoreUnavailableError: The disk is full, or fails: later they may be.
            HookLoadError: They cannot be made.
        """
        if os.path.isdir(self.log):  # noqa: PTH112 - asked before each step, and so nearly always
            return
        try:
            self.log.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in FULL | FAILING:
                raise store_error(self.log, error) from error
            raise HookLoadError(
                f"E-HOOK-02  {error.filename}: {error.strerror}; checkpoints go there "
                "(pipelines.NAME.checkpoints.dir)"
            ) from error


def build_environment(
    pipeline: PipelineSettings,
    inherited: Mapping[str, str],
    folders: ExperimentFolders | None,
    marker: str,
    pins: Mapping[str, str] = NO_PINS,
) -> dict[str, str]:
    """All variables of a hook process.

    Args:
        pipeline: Its settings.
        inherited: The agent's variables.
        folders: Of the experiment; None when it is not known yet.
        marker: Marks all processes that come from this one.
        pins: The GPUs of the slot, as `gpu_pins` gives them.

    Returns:
        Value by name.

    Raises:
        HookLoadError: `env_file` cannot be used, or names GPUs where the slot does, or a conda
            environment cannot be activated.
    """
    found = activate(pipeline.python, without_secrets(inherited))
    found |= pipeline.env
    if pipeline.env_file is not None:
        found |= _read_checked(pipeline.env_file, pins)
    own = folders.variables if folders is not None else {}
    return {**gpu_order(found), **found, **pins, **own, MARKER_VARIABLE: marker}


def _read_checked(file: Path, pins: Mapping[str, str]) -> dict[str, str]:
    """Two slots must not meet on one GPU because of a forgotten line."""
    found = read_env_file(file)
    for name in sorted(found.keys() & pins.keys()):
        raise HookLoadError(
            f"E-HOOK-02  {file} {name}: found {found[name]!r}, while the slot says which GPUs its "
            "hooks see (slots in agent.yaml); expected no such line"
        )
    return found


def without_secrets(inherited: Mapping[str, str]) -> dict[str, str]:
    """The agent's variables that user code may see.

    Args:
        inherited: All of them.

    Returns:
        Those that neither configure the agent nor belong to its service; of a proxy without user
        and password, which are the agent's wherever they stand.
    """
    return {
        name: _CREDENTIALS.sub(r"\g<1>", value) if name.lower().endswith("_proxy") else value
        for name, value in inherited.items()
        if name not in SECRETS and not name.startswith(SECRET_STARTS)
    }
