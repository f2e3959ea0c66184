"""`hub agents`."""

from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.lazy import LazyGroup
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.wire.operation import AgentView

COMMANDS = {
    "list": ("alectio_agent.cli.hub_agents:list_agents", "List all agents."),
    "remove": ("alectio_agent.cli.hub_agents_remove:remove", "Forget an agent that is gone."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def agents() -> None:
    """List the agents of a hub, and forget those that are gone for good."""


@click.command("list")
@hub_options
def list_agents(*, common: Common, **where: Any) -> None:
    """List all agents: what they are doing, last contact, version, pipelines, jobs in hand."""
    with named_hub(common, **where, needs="viewer") as operator:
        found = operator.agents()
    if common.as_json:
        click.echo(found.model_dump_json(indent=2))
    elif found.agents:
        _print(found.agents)
    else:
        click.echo("No agent has registered yet. On its machine: alectio-agent run", err=True)


def state_of(agent: "AgentView") -> str:
    """What an agent is doing, in a word.

    Args:
        agent: As the hub tells of it.

    Returns:
        `gone`: it has not called for longer than a lease lasts; `working` or `idle`.
    """
    from alectio_agent.wire.protocol import LEASE_S

    if agent.silent_s is None or agent.silent_s > LEASE_S:
        return "gone"
    return "working" if agent.jobs else "idle"


def _print(found: "list[AgentView]") -> None:
    from alectio_agent.cli.plain_table import plain_output, plain_table

    table = plain_table()
    # A name stands on one line; the lists behind it take what is left of a terminal.
    for title in ("name", "state", "last contact", "version"):
        table.add_column(title, no_wrap=True)
    for title in ("pipelines", "jobs"):
        table.add_column(title)
    for agent in found:
        jobs = ", ".join(job.job for job in agent.jobs) or "-"
        pipelines = ", ".join(agent.pipelines) or "-"
        table.add_row(agent.name, state_of(agent), _contact(agent), agent.version, pipelines, jobs)
    plain_output().print(table)


def _contact(agent: "AgentView") -> str:
    """How long ago, of one that called since the hub started; else when, in UTC."""
    from alectio_agent.core.units import format_duration

    if agent.silent_s is None:
        return f"{agent.last_contact_at[:10]} {agent.last_contact_at[11:16]}Z"
    return f"{format_duration(agent.silent_s)} ago"
