"""What `run` does, from the configuration to the exit code."""

import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.journal.disk import FolderLock, SystemDisk
from alectio_agent.agent.service.control.access import GROUP_MODE
from alectio_agent.agent.service.lifeline import Lifeline
from alectio_agent.agent.service.memory import give_back_large_blocks
from alectio_agent.agent.service.signals import on_early_signals
from alectio_agent.cli.agent_state import Site, State, open_state
from alectio_agent.cli.live.opening import Screen, open_screen
from alectio_agent.cli.options import Common
from alectio_agent.cli.reloader import Reloader
from alectio_agent.cli.run_wish import Wish
from alectio_agent.cli.screen import say
from alectio_agent.cli.settings import load_agent_file, load_experiment_file
from alectio_agent.cli.starting import check_start, start_again
from alectio_agent.cli.steering import Steering
from alectio_agent.config.agent import AgentSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ConfigError, ExitCode
from alectio_agent.core.log import configure
from alectio_agent.core.notify_socket import NotifySocket
from alectio_agent.core.service_unit import own_unit

if TYPE_CHECKING:
    from alectio_agent.agent.service.agent import Agent
    from alectio_agent.cli.run_script import ScriptRun
    from alectio_agent.wire.experiment import ExperimentSettings

log = logging.getLogger(__name__)


def run_agent(common: Common, wish: Wish, script: "ScriptRun | None" = None) -> ExitCode:
    """Run the agent until it is told to stop, or its experiment is over.

    Args:
        common: The options of every command.
        wish: The options of `run`.
        script: A script of the old SDK that was started by itself.

    Returns:
        The exit code.

    Raises:
        AlectioAgentError: Nothing could be started.
    """
    on_early_signals()
    give_back_large_blocks()
    load = script.load if script is not None else load_agent_file
    settings, file = load(common.config)
    experiment = load_experiment_file(settings.experiment, file) if settings.experiment else None
    level, form = common.level(settings.logging.level), settings.logging.format
    configure(level, tracebacks=common.is_debug, form=form)
    log.info("configuration: %s", file if file.exists() else "none, only the script")
    wish.check(is_embedded=settings.platform.is_embedded)
    again = None if script is None else lambda: load(common.config)[0]
    lifeline = Lifeline(NotifySocket.of(os.environ), SystemClock())
    steering = Steering(
        settings,
        Reloader(file, settings, common, again),
        lambda: check_start(load, common, wish),
        lifeline,
    )
    lifeline.begin()
    with ExitStack() as stack:
        code = _run(stack, _Order(common, wish, script, settings, file, experiment), steering)
    if steering.starts_again:  # all is closed, only the folder is held
        lifeline.start_again()
        start_again(script.args if script is not None else {})
    return code


@dataclass(frozen=True)
class _Order:
    """What is to be run."""

    common: Common
    wish: Wish
    script: "ScriptRun | None"
    settings: AgentFile
    file: Path
    experiment: "ExperimentSettings | None"


def _run(stack: ExitStack, order: _Order, steering: Steering) -> ExitCode:
    settings, script, wish = order.settings, order.script, order.wish
    is_embedded = settings.platform.is_embedded
    if is_embedded:
        _refuse_in_unit(own_unit(os.environ), order.file)
    quota = wish.quota(is_embedded=is_embedded)
    screen = open_screen(stack, order.common)
    _prepare(settings.agent)
    lock = FolderLock(settings.agent.state_dir)
    stack.callback(lambda: lock.keep() if steering.starts_again else lock.release())
    state = open_state(settings, stack)
    if not is_embedded:
        if order.experiment is not None:
            log.info("%s is for the hub in the box: not used here", settings.experiment)
        return _run_elsewhere(stack, state, steering, wish, quota, screen)
    if order.experiment is None:
        raise ConfigError(
            f"E-CONF-04  {order.file} experiment: missing; the hub in the box needs it, such as "
            "`experiment: experiment.yaml`"
        )
    # What a hub in the box and its table need; an agent elsewhere starts without it.
    from alectio_agent.cli.run_embedded import Project, run_embedded

    project = Project(state, order.file, order.experiment, order.common.as_json)
    if script is not None and not order.file.exists():
        project = replace(project, command=script.command, init=script.init)
    return run_embedded(stack, project, steering, wish, quota, screen)


def _refuse_in_unit(unit: str, file: Path) -> None:
    """Say in words what the kernel would only call `Operation not permitted`."""
    if unit:
        raise ConfigError(
            f"E-SVC-04  {file} platform.url: found the hub in the box, inside {unit}, where "
            "nothing may open a port; expected the URL of a platform",
            hint="A hub is a service of its own: alectio-agent service install --unit alectio-hub",
        )


def _run_elsewhere(
    stack: ExitStack, state: State, steering: Steering, wish: Wish, quota: Quota, screen: Screen
) -> ExitCode:
    """Work for a platform elsewhere; gives the exit code."""
    site = Site.distant(state.settings)
    from alectio_agent.cli.early_look import EarlyLook, early_slots

    look = EarlyLook(state)
    stack.callback(look.close)
    hooks = early_slots(state)
    for slot in hooks:
        stack.callback(slot.close)
    # Imported while the hooks are: both take long, and there is seldom only one core.
    from alectio_agent.cli.build_agent import build_agent
    from alectio_agent.cli.build_notifier import make_notifier
    from alectio_agent.cli.until_stopped import until_stopped

    notifier = make_notifier(state)
    agent = build_agent(site, state, look.result(), quota, hooks, notifier)
    screen.show_agent(site.url, agent)
    code = until_stopped(agent, state, steering)
    screen.close()
    return _end_elsewhere(code, agent, wish)


def _end_elsewhere(code: ExitCode, agent: "Agent", wish: Wish) -> ExitCode:
    """Say what a bounded run for a platform elsewhere did; gives the exit code."""
    from alectio_agent.cli.until_stopped import jobs_done

    if code is not ExitCode.CLEAN or not (wish.once or wish.until_done or wish.max_jobs):
        return code
    if agent.was_stopped:
        say(f"{jobs_done(agent)}; stopped before the end")
        return ExitCode.TRY_AGAIN
    if agent.quota.failed:
        say(f"{jobs_done(agent)}, {len(agent.quota.failed)} failed: see above")
        return ExitCode.FAILED
    is_idle = not agent.quota.is_spent
    say(f"{jobs_done(agent)}{'; the platform has no more work now' if is_idle else ''}")
    return code


def _prepare(agent: AgentSettings) -> None:
    """Make the state folder, readable by nobody else once it is an agent's."""
    folder = agent.state_dir
    SystemDisk().make_folder(folder)
    kept = 0o700 if agent.control_group is None else GROUP_MODE
    if (folder / "agent.db").exists() and folder.stat().st_mode & 0o777 & ~kept:
        folder.chmod(0o700)
