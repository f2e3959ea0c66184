"""What `check` looks at, and in which order."""

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from alectio_agent.agent.hooks.site_environment import site_environment
from alectio_agent.cli.check_lines import print_checks
from alectio_agent.cli.check_marks import marks_left
from alectio_agent.cli.check_metrics import check_metrics
from alectio_agent.cli.check_network import check_network, not_called
from alectio_agent.cli.check_pipelines import check_pipeline
from alectio_agent.cli.check_sandbox import sandboxed
from alectio_agent.cli.check_site import (
    check_disk,
    check_hub,
    check_state,
    check_token,
)
from alectio_agent.cli.fit import check_pool, pick_pipeline
from alectio_agent.cli.options import Common
from alectio_agent.cli.service_unit import FOLDERS, ServiceUnit
from alectio_agent.cli.settings import load_agent_file, load_experiment_file
from alectio_agent.config.lookup import VARIABLE
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import AlectioAgentError, ConfigError, ExitCode
from alectio_agent.wire.protocol import PROTOCOL


@dataclass(frozen=True)
class Wish:
    """What to look at.

    Attributes:
        is_offline: The platform is not called.
        is_here: From here, also when a service has a sandbox.
        hold_s: How long to have a poll held, in seconds.
    """

    is_offline: bool
    is_here: bool
    hold_s: float


def check_all(common: Common, wish: Wish) -> ExitCode:
    """Look at everything, print a line for each thing.

    Args:
        common: The options of every command.
        wish: What to look at.

    Returns:
        0, 3 when something is wrong, 78 when the configuration cannot be loaded.
    """
    checkup = _Checkup(common, wish)
    found = print_checks(checkup.all(), common, next_step=lambda: common.next_step(checkup.next))
    if checkup.has_no_configuration:
        return ExitCode.CONFIG
    is_wrong = any(check.state == "failed" for check in found)
    return ExitCode.FAILED if is_wrong else ExitCode.CLEAN


class _Checkup:
    def __init__(self, common: Common, wish: Wish) -> None:
        self._common = common
        self._wish = wish
        self._is_looked_within = False
        self._pools: dict[str, int | None] = {}
        self.has_no_configuration = False
        self.next = "try"

    def all(self) -> Iterator[Check]:
        """Every check; one that fails hides none that could still be made."""
        yield passed(
            "versions",
            f"alectio-agent {version('alectio-agent')}, protocol {PROTOCOL}, "
            f"Python {platform.python_version()}",
        )
        try:
            settings, file = load_agent_file(self._common.config)
        except ConfigError as error:
            self.has_no_configuration = True
            yield failed("configuration", error)
            return
        said = f"{file} ({_winner(self._common.config)})"
        yield passed("configuration", said, marks_left(file))
        yield from self._pipelines(settings, file)
        if settings.experiment is None:
            self.next = "run"  # the platform has the experiments: there is none to try here
        elif not self._is_looked_within:
            yield guarded("experiment", lambda: self._experiment(settings, file))
        yield from check_state(settings.agent.state_dir)
        yield guarded("disk", lambda: check_disk(settings))
        if settings.metrics.textfile is not None:
            unit = ServiceUnit.find(FOLDERS)
            runs = unit if unit is not None and unit.runs(file) else None
            yield check_metrics(settings.metrics.textfile, runs)
        if settings.platform.is_embedded:
            yield guarded("hub", check_hub)
            yield passed("platform", "the hub in the box: nothing more is needed")
            return
        yield from self._platform(settings)

    def _pipelines(self, settings: AgentFile, file: Path) -> Iterator[Check]:
        inside = [] if self._wish.is_here else sandboxed(file, settings, FOLDERS)
        yield from inside
        if len(inside) > 1:
            self._is_looked_within = True
            return
        # Not in the state folder: this may be another user, and the agent at work.
        with tempfile.TemporaryDirectory(prefix="alectio-check-") as folder:
            try:
                variables = site_environment(settings, os.environ, Path(folder))
            except ConfigError as error:
                yield failed("network", error)
                return
            for name in settings.pipelines:
                yield from check_pipeline(name, settings, self._pools, variables)

    def _platform(self, settings: AgentFile) -> Iterator[Check]:
        token = guarded("token file", lambda: check_token(settings))
        yield token
        if self._wish.is_offline:
            yield from not_called("not called (--offline)")
            return
        is_good = token.state != "failed"
        hold_s, clock = self._wish.hold_s, SystemClock()
        yield from check_network(settings, clock, hold_s, token_is_good=is_good)

    def _experiment(self, settings: AgentFile, file: Path) -> Check:
        assert settings.experiment is not None  # noqa: S101 - asked before
        experiment_file = settings.experiment
        experiment = load_experiment_file(experiment_file, file)
        if not settings.platform.is_embedded:
            return passed("experiment", f"{experiment_file} is for the hub in the box: not used")
        name = pick_pipeline(experiment_file, experiment, settings.pipelines)
        if name not in self._pools:
            return Check("experiment", "skipped", f"the hooks of {name} must be mended first")
        check_pool((file, experiment_file), experiment, name, self._pools[name])
        pool = experiment.pool or self._pools[name]
        return passed(
            "experiment",
            f"{experiment.name}: pipeline {name}, {experiment.loops:,} loops, {pool:,} samples",
            marks_left(experiment_file),
        )


def guarded(name: str, work: Callable[[], Check]) -> Check:
    """A check, failed when it raises.

    Args:
        name: Of the check.
        work: Makes it, or raises what is wrong.
    """
    try:
        return work()
    except AlectioAgentError as error:
        return failed(name, error)


def _winner(config: Path | None) -> str:
    """Why this file and no other."""
    if config is not None:
        return "--config"
    if os.environ.get(VARIABLE):
        return f"${VARIABLE}"
    return "this folder" if (Path.cwd() / "agent.yaml").is_file() else "the system's"
