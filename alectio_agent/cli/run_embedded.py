"""`run` with the hub in the box: one experiment, from its file to its table."""

import logging
from contextlib import ExitStack
from pathlib import Path

import click

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.service.hub_process import HubProcess
from alectio_agent.agent.service.threads import Driver
from alectio_agent.cli.build_agent import Site, State, build_agent
from alectio_agent.cli.experiment_table import print_result
from alectio_agent.cli.hub_connection import hub_folders, operation_client
from alectio_agent.cli.reload import Reloader
from alectio_agent.cli.until_stopped import until_stopped
from alectio_agent.cli.watch import Watcher
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ExitCode, PlatformRejectedError, UsageError
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentView

log = logging.getLogger(__name__)

OVER = ("finished", "cancelled")


def run_embedded(
    stack: ExitStack,
    state: State,
    file: Path,
    experiment: ExperimentSettings,
    reload: Reloader,
    *,
    until_done: bool,
) -> ExitCode:
    """Start the hub, make the experiment, run the agent, print the table.

    Args:
        stack: Closes what is opened here, the hub last of all.
        state: Of the agent.
        file: The agent's configuration: results go beside it.
        experiment: From `experiment.yaml`.
        reload: Called on HUP.
        until_done: End with the experiment.

    Returns:
        0 finished, 3 a job waits for a person, 75 stopped before the end, or the error's own.
    """
    data, results = hub_folders(state.settings, file)
    hub = HubProcess(data, results)
    stack.callback(hub.stop)
    hub.start()
    log.info("hub: in the box, %s", hub.url)
    operator = operation_client(hub.url, hub.tokens.operator)
    view = _begin(operator, experiment)
    if view.state in OVER and _is_control_over(operator, view):
        print_result(operator, view.name)
        click.echo(f"`{view.name}` was {view.state} already: nothing was run.")
        return ExitCode.CLEAN
    return _run(hub, operator, state, view.name, reload, until_done=until_done)


def _run(
    hub: HubProcess,
    operator: OperationClient,
    state: State,
    name: str,
    reload: Reloader,
    *,
    until_done: bool,
) -> ExitCode:
    clock = SystemClock()
    agent = build_agent(Site.embedded(hub.url, hub.tokens.agent), state)

    def over(outcome: ExitCode) -> None:
        # A control that began meanwhile must not keep the person waiting who is needed.
        agent.finish(at_once=outcome is ExitCode.FAILED)

    watcher = Watcher(operator, name, over if until_done else None)
    for driver in (
        Driver("hub", hub, clock, lambda: hub.is_stopping, agent.fail),
        Driver("watch", watcher, clock, agent.stopping.is_set, agent.fail),
    ):
        driver.start()
    code = until_stopped(agent, reload)
    if code is not ExitCode.CLEAN:
        return code
    print_result(operator, name)
    if watcher.outcome is None:
        click.echo("Stopped before the end. The same command goes on where it was.", err=True)
        return ExitCode.TRY_AGAIN
    return watcher.outcome


def _begin(operator: OperationClient, experiment: ExperimentSettings) -> ExperimentView:
    """Make the experiment, or find it as it was; one that waits for a person goes on."""
    try:
        view = operator.create_experiment(experiment)
    except PlatformRejectedError as error:
        raise UsageError(error.message, hint=_conflict_hint(error.problem)) from error
    for name in (view.name, view.control):
        if name and operator.experiment(name).state == "waiting":
            log.info("%s waited for a person: trying its last step again", name)
            view = operator.retry_experiment(name) if name == view.name else view
            if name != view.name:
                operator.retry_experiment(name)
    return view


def _conflict_hint(problem: str) -> str:
    if problem != "conflict":
        return ""
    return (
        "Nothing was changed. Bring back the old values to go on, or give experiment.yaml "
        "another name to start afresh beside it."
    )


def _is_control_over(operator: OperationClient, view: ExperimentView) -> bool:
    return view.control is None or operator.experiment(view.control).state in OVER
