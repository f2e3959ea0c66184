"""`run` with the hub in the box: one experiment, from its file to its table."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.hub_process import HubProcess
from alectio_agent.agent.service.threads import Driver
from alectio_agent.cli.agent_state import Site, State
from alectio_agent.cli.announcement import hook_slots, inspect_hooks, pool_size
from alectio_agent.cli.build_agent import build_agent
from alectio_agent.cli.build_notifier import make_notifier
from alectio_agent.cli.experiment_table import print_result
from alectio_agent.cli.fit import check_pool, pick_pipeline
from alectio_agent.cli.hub_connection import hub_folders, operation_client
from alectio_agent.cli.live.opening import Screen, told
from alectio_agent.cli.live.source import SceneSource
from alectio_agent.cli.run_experiment import (
    finished_already,
    make_experiment,
    pick_experiment,
    retry_waiting,
)
from alectio_agent.cli.run_wish import Wish
from alectio_agent.cli.screen import say
from alectio_agent.cli.steering import Steering
from alectio_agent.cli.until_stopped import jobs_done, until_stopped
from alectio_agent.cli.watch import Watcher
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ExitCode
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentView

log = logging.getLogger(__name__)

COMMAND = "alectio-agent run"
MEND = """\
Mend it, then: {command}. The failed step is repeated, what was computed before it is kept."""
TRAIN = "Does the fault lie in train? alectio-agent experiment retry {name} --step train, then run."
PAUSED = "`{name}` is paused. Go on: alectio-agent experiment resume {name}, then {command}"
NO_FILE = "The other commands (logs, jobs, experiment ...) need an agent.yaml: {init}"


@dataclass(frozen=True)
class Project:
    """What a user has written.

    Attributes:
        state: The agent's opened state folder, with its settings.
        file: `agent.yaml`: results go beside it.
        experiment: From `experiment.yaml`.
        as_json: Print the result for programs.
        command: What was typed: `alectio-agent run`, or the script of the old SDK.
        init: Writes `agent.yaml`, when there is only a script; empty when there is one.
    """

    state: State
    file: Path
    experiment: ExperimentSettings
    as_json: bool = False
    command: str = COMMAND
    init: str = ""

    @property
    def experiment_file(self) -> Path:
        """`experiment.yaml`, for messages."""
        return self.state.settings.experiment or self.file

    @property
    def afresh(self) -> str:
        """How to run the experiment once more."""
        if not self.init:
            return f"{COMMAND} --new"
        return f"give {self.experiment_file} another name"  # only a script: it has no options

    @property
    def with_options(self) -> str:
        """A command that takes the options of `run`."""
        return f"{self.init}, then {COMMAND}" if self.init else COMMAND


def run_embedded(
    stack: ExitStack,
    project: Project,
    steering: Steering,
    wish: Wish,
    quota: Quota,
    screen: Screen,
) -> ExitCode:
    """Start the hub, make the experiment, run the agent, print the table.

    Args:
        stack: Closes what is opened here, the hub last of all.
        project: The user's files.
        steering: Takes what people want from the agent.
        wish: The options of `run`.
        quota: How many jobs the agent takes.
        screen: Shows the run.

    Returns:
        0 finished, or the jobs asked for are done; 3 a job waits for a person; 75 stopped before
        the end; or the error's own.
    """
    state = project.state
    pipeline = pick_pipeline(project.experiment_file, project.experiment, state.settings.pipelines)
    hub = _start_hub(stack, project)
    operator = operation_client(hub.url, hub.tokens.operator)
    known = operator.experiments().experiments
    experiment = pick_experiment(known, project.experiment, is_new=wish.new)
    over = None if wish.stay else finished_already(known, experiment)
    if over is not None:
        screen.close()
        return _say_over(operator, over, project)
    inspections = _fitting_hooks(project, experiment, pipeline)
    is_update = wish.update and experiment.name in {found.name for found in known}
    name = _make(operator, project, experiment, is_update=is_update)
    site, notifier = Site.embedded(hub.url, hub.tokens.agent), make_notifier(state)
    agent = build_agent(site, state, inspections, quota, hook_slots(state), notifier)
    watcher = Watcher(operator, name, None if wish.stay else _end_of(agent), notifier.tell)
    _drive(hub, watcher, agent)
    screen.show(SceneSource(told(f"in the box, {hub.url}"), agent.snapshot, SystemClock(),
                            lambda: watcher.views).rows)  # fmt: skip
    code = until_stopped(agent, state, steering)
    screen.close()
    if code is not ExitCode.CLEAN:
        return code
    return _say_end(operator, watcher, agent, project)


def _start_hub(stack: ExitStack, project: Project) -> HubProcess:
    settings = project.state.settings
    hub = HubProcess(*hub_folders(settings, project.file), settings.logging.format)
    stack.callback(hub.stop)
    hub.start()
    log.info("hub: in the box, %s", hub.url)
    return hub


def _say_over(operator: OperationClient, over: ExperimentView, project: Project) -> ExitCode:
    """Print what there is: nothing is left to run."""
    print_result(operator, over.name, as_json=project.as_json)
    say(f"`{over.name}` was {over.state} already: nothing was run.")
    say(f"Start it afresh beside this one: {project.afresh}")
    return ExitCode.CLEAN if over.state == "finished" else ExitCode.FAILED


def _fitting_hooks(
    project: Project, experiment: ExperimentSettings, pipeline: str
) -> dict[str, HookInspection]:
    """What cannot run must not become an experiment: its settings could then not be mended."""
    inspections = inspect_hooks(project.state, hook_slots(project.state))
    pool = pool_size(project.state.settings.pipelines[pipeline], inspections[pipeline])
    check_pool((project.file, project.experiment_file), experiment, pipeline, pool)
    return inspections


def _make(
    operator: OperationClient, project: Project, experiment: ExperimentSettings, *, is_update: bool
) -> str:
    """Make the experiment, or make it go on; gives its name."""
    view = make_experiment(
        operator,
        experiment,
        project.experiment.name,
        is_update=is_update,
        command=project.with_options,
    )
    retry_waiting(operator, view)
    return view.name


def _drive(hub: HubProcess, watcher: Watcher, agent: Agent) -> None:
    """Start the threads that are not the agent's own."""
    for driver in (
        Driver("hub", hub, SystemClock(), lambda: hub.is_stopping, agent.fail),
        Driver("watch", watcher, SystemClock(), agent.stopping.is_set, agent.fail),
    ):
        driver.start()


def _say_end(
    operator: OperationClient, watcher: Watcher, agent: Agent, project: Project
) -> ExitCode:
    """Print the table and what a person types next; gives the exit code."""
    is_told = bool(agent.quota.failed)
    with suppress(OSError):  # a terminal that vanished changes nothing about the outcome
        print_result(
            operator, watcher.first_name, as_json=project.as_json, has_problems=not is_told
        )
    code = _outcome(operator, watcher, agent)
    _say_next(code, watcher, agent, project)
    return code


def _end_of(agent: Agent) -> Callable[[ExitCode], None]:
    """What ends the agent with the experiment."""

    def end(outcome: ExitCode) -> None:
        # A control that began meanwhile must not keep the person waiting who is needed.
        agent.finish(at_once=outcome is ExitCode.FAILED)

    return end


def _outcome(operator: OperationClient, watcher: Watcher, agent: Agent) -> ExitCode:
    """How the run ended; the watcher may not have seen the last change yet."""
    for _ in range(2):  # the control may have ended with it
        if watcher.outcome is None:
            watcher.look(operator.experiment(watcher.name))
    if watcher.outcome is not None:
        return watcher.outcome
    if agent.was_stopped:
        return ExitCode.TRY_AGAIN
    return ExitCode.FAILED if agent.quota.failed else ExitCode.CLEAN


def _say_next(code: ExitCode, watcher: Watcher, agent: Agent, project: Project) -> None:
    """What a person types next."""
    named = {"name": watcher.name, "command": project.command}
    if code is ExitCode.FAILED:
        say(MEND.format(**named))
        # Without an agent.yaml no other command finds the hub in the box.
        say(NO_FILE.format(init=project.init) if project.init else TRAIN.format(**named))
    elif watcher.is_paused:
        say(PAUSED.format(**named))
        if project.init:
            say(NO_FILE.format(init=project.init))
    elif code is ExitCode.TRY_AGAIN:
        say(f"Stopped before the end. It goes on where it was with: {project.command}")
    elif watcher.outcome is None:
        say(f"{jobs_done(agent)}, as asked. The experiment goes on with: {project.command}")
