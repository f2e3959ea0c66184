"""`config schema`."""

import json

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.argument("file", type=click.Choice(["agent", "experiment"]), default="agent")
@common_options
def schema(*, file: str, common: Common) -> None:  # noqa: ARG001 - it is JSON in any case
    """Print the JSON Schema of agent.yaml, or of experiment.yaml.

    Editors complete and check the file with it, for example by this line at its top:

    \b
        # yaml-language-server: $schema=agent.schema.json
    """  # noqa: D301 - \b is click's mark: what follows is not folded
    from pydantic import BaseModel

    from alectio_agent.config.schema import schema_of
    from alectio_agent.config.settings import AgentFile
    from alectio_agent.wire.experiment import ExperimentSettings

    model: type[BaseModel] = AgentFile if file == "agent" else ExperimentSettings
    click.echo(json.dumps(schema_of(model, f"{file}.yaml"), indent=2, ensure_ascii=False))
