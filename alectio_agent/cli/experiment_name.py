"""The argument NAME of commands about one experiment."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def experiment_name(command: CommandT) -> CommandT:
    """Give a command the argument NAME.

    Args:
        command: Takes `name`.

    Returns:
        The command, which is called with names of experiments only.
    """
    return click.argument("name", callback=_checked)(command)


def _checked(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    from alectio_agent.core.errors import UsageError
    from alectio_agent.wire.names import EXPERIMENT_PATTERN

    if re.fullmatch(EXPERIMENT_PATTERN, name):
        return name
    experiment, _, loop = name.partition("/")
    if loop.isdecimal() and re.fullmatch(EXPERIMENT_PATTERN, experiment):
        raise UsageError(
            f"`{name}` names a job; expected an experiment, such as `{experiment}`",
            hint=f"Its loops: alectio-agent experiment show {experiment}",
            code="E-EXP-05",
        )
    raise UsageError(f"{name!r} is no name of an experiment", code="E-EXP-05")
