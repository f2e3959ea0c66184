"""`hub token revoke`."""

from typing import Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@click.argument("name")
@hub_options
def revoke(*, name: str, common: Common, **where: Any) -> None:
    """Revoke the token NAME: whoever has it gets in no more, at once."""
    import re

    from alectio_agent.cli.hub_hints import TOKENS_TEXT
    from alectio_agent.cli.screen import say, tell
    from alectio_agent.core.errors import UsageError
    from alectio_agent.wire.names import EXPERIMENT_PATTERN

    if not re.fullmatch(EXPERIMENT_PATTERN, name):
        raise UsageError(f"{name!r} is no name of a token", hint=TOKENS_TEXT, code="E-HUB-04")
    with named_hub(common, **where) as operator:
        revoked = operator.revoke_token(name)
    if common.as_json:
        click.echo(revoked.model_dump_json(indent=2))
        return
    tell(f"{revoked.name}: revoked; scope {revoked.scope}, made {revoked.created_at}")
    if revoked.scope == "agent" and not common.is_quiet:
        say(
            "An agent with it stops its hook, keeps its results and ends with exit code 77. "
            f"A new token: alectio-agent hub token create {name}"
        )
