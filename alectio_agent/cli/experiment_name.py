"""Names of experiments on the command line."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from alectio_agent.cli.options import Common

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
RESULTS_FOLDER = "results"


class ExperimentName(click.ParamType[str]):
    """The name of an experiment; completed from the results folder beside `agent.yaml`."""

    name = "name"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> str:
        """Refuse what can be no name, before any hub is asked."""
        from alectio_agent.core.errors import UsageError
        from alectio_agent.core.log import printable
        from alectio_agent.wire.names import EXPERIMENT_PATTERN

        if re.fullmatch(EXPERIMENT_PATTERN, value):
            return value
        name, slash, loop = value.partition("/")
        if slash and re.fullmatch(EXPERIMENT_PATTERN, name) and loop.isdecimal():
            raise UsageError(
                f"`{value}` names a job; expected an experiment, such as `{name}`",
                hint=f"Its loops: alectio-agent experiment show {name}",
                code="E-EXP-05",
            )
        raise UsageError(
            f"'{printable(value, 80)}' is no name of an experiment; expected up to 64 letters, "
            "digits, '.', '_' and '-', a letter or digit first",
            code="E-EXP-05",
        )

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The experiments that have results beside the configuration; no hub is asked."""
        return [CompletionItem(name) for name in known_names(ctx) if name.startswith(incomplete)]


def experiment_name(command: CommandT) -> CommandT:
    """Give a command the argument NAME.

    Args:
        command: Takes `name`.

    Returns:
        The command, which is called with names of experiments only.
    """
    return click.argument("name", type=ExperimentName())(command)


def known_names(context: click.Context) -> list[str]:
    """The experiments with a folder in `results/` beside the configuration.

    Args:
        context: Knows `--config`.

    Returns:
        Sorted; empty when there is no configuration, or nothing ran yet.
    """
    from alectio_agent.config.lookup import find_config
    from alectio_agent.core.errors import ConfigError

    try:
        file = find_config(Common.of(context).config, os.environ, Path.cwd())
        folders = [path.name for path in (file.parent / RESULTS_FOLDER).iterdir() if path.is_dir()]
    except (ConfigError, OSError):
        return []
    return sorted(folders)
