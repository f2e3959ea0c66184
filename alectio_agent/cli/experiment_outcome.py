"""What a command did to an experiment, and what comes next."""

from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say

if TYPE_CHECKING:
    from alectio_agent.wire.operation import ExperimentView


def print_outcome(view: "ExperimentView", common: Common, did: str) -> None:
    """Print one line on stdout; beside it, what somebody has to do for it to go on.

    Args:
        view: The experiment afterwards.
        common: Whether to print JSON.
        did: What the command did, such as `rewound by 1 loop`.
    """
    if common.as_json:
        click.echo(view.model_dump_json(indent=2))
    else:
        click.echo(f"{view.name}: {did}; {_state(view)}")
    mend = _mend(view)
    if mend and not common.is_quiet:
        say(mend)


def labels_mend(name: str, loop: int) -> str:
    """What to type about an experiment that waits for labels by people.

    Args:
        name: Of the experiment.
        loop: That waits.
    """
    return (
        f"{labels_export(name, loop)}; fill in the column label; "
        f"alectio-agent experiment labels import {name} {_labels_file(name, loop)}"
    )


def labels_export(name: str, loop: int) -> str:
    """The command that writes down what people are asked to label.

    Args:
        name: Of the experiment.
        loop: That waits.
    """
    return f"alectio-agent experiment labels export {name} --output {_labels_file(name, loop)}"


def _labels_file(name: str, loop: int) -> str:
    """Another one for each loop: a file that is there is not overwritten."""
    return f"{name}-loop-{loop}.csv"


def _state(view: "ExperimentView") -> str:
    """Where it stands now."""
    if view.state == "waiting":
        return f"it waits for a person: {view.reason}"
    if view.state != "running":
        return f"it is {view.state}"
    if not view.loops:
        return "loop 0 comes next"
    loop = view.loops[-1]
    if loop.state == "selecting":
        return f"the samples of loop {loop.loop} are chosen next"
    if loop.state == "labelling":
        return f"loop {loop.loop} waits for labels"
    is_held = loop.state in ("claimed", "running")
    return f"loop {loop.loop} {f'is with agent {loop.agent}' if is_held else 'runs next'}"


def _mend(view: "ExperimentView") -> str:
    if view.loops and view.loops[-1].state == "labelling" and view.state == "running":
        return f"It waits for {view.waits_for}. {labels_mend(view.name, view.loops[-1].loop)}"
    if view.waits_for:
        return f"It waits for {view.waits_for}. Go on: alectio-agent run"
    verb = {"paused": "resume", "waiting": "retry"}.get(view.state)
    return f"Go on: alectio-agent experiment {verb} {view.name}" if verb else ""
