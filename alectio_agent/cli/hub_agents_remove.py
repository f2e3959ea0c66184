"""`hub agents remove`."""

from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.wire.operation import AgentView


@click.command
@click.argument("name")
@click.option("--force", is_flag=True, help="Though it has a job in hand; others are offered it.")
@hub_options
def remove(*, name: str, force: bool, common: Common, **where: Any) -> None:
    """Forget the agent NAME (or its id), which is gone for good.

    Jobs that wait for its checkpoints are offered to others. Loops that it ran keep its name. One
    that calls again registers as a new agent; to keep it out, revoke its token.
    """
    from alectio_agent.cli.hub_agents import state_of
    from alectio_agent.cli.screen import say

    with named_hub(common, **where) as operator:
        meant = _meant(operator.agents().agents, name)
        removed = operator.remove_agent(meant.agent_id, is_forced=force)
    if common.as_json:
        click.echo(removed.model_dump_json(indent=2))
        return
    click.echo(f"{removed.name}: forgotten (id {removed.agent_id})")
    if state_of(removed) != "gone":
        say(
            "It called a moment ago and will register again, as a new agent. To keep it out: "
            "alectio-agent hub token revoke NAME"
        )


def _meant(agents: "list[AgentView]", name: str) -> "AgentView":
    """The agent of that name or id."""
    from alectio_agent.core.errors import UsageError
    from alectio_agent.core.log import printable

    found = [agent for agent in agents if name in (agent.name, agent.agent_id)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"no agent is called `{printable(name)}`",
            hint="Those that there are: alectio-agent hub agents list",
            code="E-HUB-07",
        )
    ids = ", ".join(agent.agent_id for agent in found)
    raise UsageError(
        f"{len(found)} agents are called `{printable(name)}`; expected the id of one: {ids}",
        hint="What each is doing: alectio-agent hub agents list --json",
        code="E-HUB-07",
    )
