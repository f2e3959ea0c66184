"""The options that every command takes, before or after its name."""

import functools
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
PREFIX = "alectio_agent.cli.options."


@dataclass(frozen=True)
class Common:
    """What the options said.

    Attributes:
        config: `agent.yaml`, when one was named.
        as_json: Results are printed as JSON.
        is_quiet: Only results, warnings and errors are printed.
        is_debug: Tracebacks are printed, and log lines of level `debug`.
    """

    config: Path | None = None
    as_json: bool = False
    is_quiet: bool = False
    is_debug: bool = False

    @classmethod
    def of(cls, context: click.Context) -> "Common":
        """What was said before the command's name and after it.

        Args:
            context: Of the command.
        """
        said = {key.removeprefix(PREFIX): value for key, value in context.meta.items()
                if key.startswith(PREFIX)}  # fmt: skip
        return cls(**said)

    def next_step(self, command: str) -> str:
        """What to type next, about the same `agent.yaml`.

        Args:
            command: Such as `run`.
        """
        named = "" if self.config is None else f" --config {shlex.quote(str(self.config))}"
        return f"Next: alectio-agent {command}{named}"

    def level(self, usual: str) -> str:
        """The level of log lines.

        Args:
            usual: When no option says otherwise.
        """
        return "debug" if self.is_debug else "warning" if self.is_quiet else usual


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    # The meta of a command's context is that of the groups around it: what is said last counts.
    if value:
        context.meta[f"{PREFIX}{parameter.name}"] = value


_QUIETLY: dict[str, Any] = {"expose_value": False, "callback": _remember}
OPTIONS = (
    click.option(
        "-c", "--config", type=click.Path(path_type=Path), help="The agent.yaml to use.", **_QUIETLY
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON.", **_QUIETLY),
    click.option(
        "-q", "--quiet", "is_quiet", is_flag=True, help="Only results, warnings and errors.",
        **_QUIETLY,
    ),
    click.option(
        "--debug", "is_debug", is_flag=True, help="Print tracebacks and debug messages.", **_QUIETLY
    ),
)  # fmt: skip


def common_options(command: CommandT) -> CommandT:
    """Give a command the common options.

    Args:
        command: Takes what they said as `common`.

    Returns:
        The command with these options.
    """

    @functools.wraps(command)
    def called(*args: Any, **options: Any) -> Any:
        return command(*args, common=Common.of(click.get_current_context()), **options)

    decorated: Any = called
    for option in reversed(OPTIONS):
        decorated = option(decorated)
    found: CommandT = decorated
    return found


def root_options(group: CommandT) -> CommandT:
    """Let the options stand before a command's name too.

    Args:
        group: The root; takes nothing of them.

    Returns:
        The group with these options.
    """
    for option in reversed(OPTIONS):
        group = option(group)
    return group
