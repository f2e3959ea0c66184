"""`run` with the hub in the box: one experiment, from its file to its table."""

import logging
from contextlib import ExitStack
from pathlib import Path

import click

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.hub_process import HubProcess
from alectio_agent.agent.service.threads import Driver
from alectio_agent.cli.build_agent import Site, State, build_agent, inspect_hooks, pool_size
from alectio_agent.cli.experiment_table import print_result
from alectio_agent.cli.fit import check_pool, pick_pipeline
from alectio_agent.cli.hub_connection import hub_folders, operation_client
from alectio_agent.cli.reload import Reloader
from alectio_agent.cli.until_stopped import until_stopped
from alectio_agent.cli.watch import Watcher
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ExitCode, PlatformRejectedError, UsageError
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.operation import ExperimentView

log = logging.getLogger(__name__)

MEND_TRAIN = (
    "Mend it and run the same command again: the failed step is repeated. If the fault lies in an "
    "earlier train, remove that loop's checkpoint first; it is then trained again."
)
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
    experiment_file = state.settings.experiment or file
    pipeline = pick_pipeline(experiment_file, experiment, state.settings.pipelines)
    data, results = hub_folders(state.settings, file)
    hub = HubProcess(data, results)
    stack.callback(hub.stop)
    hub.start()
    log.info("hub: in the box, %s", hub.url)
    operator = operation_client(hub.url, hub.tokens.operator)
    if _is_over(operator, experiment.name):
        view = _begin(operator, experiment)
        print_result(operator, view.name)
        click.echo(f"`{view.name}` was {view.state} already: nothing was run.")
        return ExitCode.CLEAN
    # What cannot run must not become an experiment: its settings could then not be mended.
    inspections = inspect_hooks(state)
    pool = pool_size(state.settings.pipelines[pipeline], inspections[pipeline])
    check_pool((file, experiment_file), experiment, pipeline, pool)
    view = _begin(operator, experiment)
    agent = build_agent(Site.embedded(hub.url, hub.tokens.agent), state, inspections)
    return _run(hub, operator, agent, view.name, reload, until_done=until_done)


def _run(
    hub: HubProcess,
    operator: OperationClient,
    agent: Agent,
    name: str,
    reload: Reloader,
    *,
    until_done: bool,
) -> ExitCode:
    clock = SystemClock()

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
    if watcher.outcome is ExitCode.FAILED:
        click.echo(MEND_TRAIN, err=True)
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
        "Bring back the old values to go on, or give experiment.yaml "
        "another name to start afresh beside it."
    )


def _is_over(operator: OperationClient, name: str) -> bool:
    """Whether an experiment of this name has ended, and its control with it."""
    states = {found.name: found for found in operator.experiments().experiments}
    if name not in states or states[name].state not in OVER:
        return False
    control = states[name].control
    return control is None or states[control].state in OVER
