"""Options of the commands that talk to a hub, and the client for the hub that they name."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from alectio_agent.agent.client.operation import OperationClient
    from alectio_agent.wire.operation import Scope

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--hub", envvar="ALECTIO_HUB", show_envvar=True, metavar="URL", help="URL of the hub."
    ),
    click.option(
        "--token-file",
        envvar="ALECTIO_HUB_TOKEN_FILE",
        show_envvar=True,
        type=click.Path(path_type=Path),
        help="File with a token for that hub.",
    ),
    click.option(
        "--data", type=click.Path(path_type=Path), help="Folder of a hub on this machine."
    ),
)


def hub_options(command: CommandT) -> CommandT:
    """The options that say which hub a command is about, and those of every command.

    Args:
        command: Takes `common`, `hub`, `token_file` and `data`.

    Returns:
        The command with these options.
    """
    command = common_options(command)
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def hub_flags(common: Common, **where: Any) -> str:
    """The flags that named this command's hub, for the next command about it.

    Args:
        common: Holds `agent.yaml`.
        where: `hub`, `token_file` and `data`; what the environment says need not be said again.

    Returns:
        Flags with a space before each; empty without any.
    """
    source = click.get_current_context().get_parameter_source
    named = {key: where[key] for key in where if source(key) is ParameterSource.COMMANDLINE}
    flags = {"config": common.config, **named}
    return "".join(
        f" --{key.replace('_', '-')} {shlex.quote(str(value))}"
        for key, value in flags.items()
        if value is not None
    )


@contextmanager
def named_hub(
    common: Common,
    hub: str | None,
    token_file: Path | None,
    data: Path | None = None,
    *,
    needs: "Scope" = "operator",
) -> Iterator["OperationClient"]:
    """Reach the hub that the options name; what it refuses is a wrong use of the command.

    Args:
        common: Holds `agent.yaml`.
        hub: URL of a hub, from a flag or the environment.
        token_file: Holds a token for it.
        data: Folder of a hub on this machine.
        needs: The least scope of a token that will do.

    Yields:
        A client.

    Raises:
        UsageError: Two hubs are named, none is in the folder, or the hub refuses.
    """
    config = common.config
    from alectio_agent.cli.hub_connection import open_hub
    from alectio_agent.cli.screen import say
    from alectio_agent.core.errors import UsageError

    hub = _meant_hub(hub, config, data)
    flags = {"--config": config, "--hub": hub, "--data": data}
    given = [flag for flag, value in flags.items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} name two hubs; expected one of them", code="E-HUB-01"
        )
    if data is not None:
        _check_folder(data)

    def tell_start() -> None:
        if not common.is_quiet:
            whose = "in the box" if data is None else f"of {data}"
            say(f"starting the hub {whose} for this command")

    with (
        open_hub(config, hub, token_file, data, tell_start) as operator,
        _mends(operator, token_file, needs),
    ):
        yield operator


def is_own_hub(
    common: Common,
    hub: str | None,
    token_file: Path | None,  # noqa: ARG001 - one of the options that say which hub is meant
    data: Path | None = None,
) -> bool:
    """Whether the hub keeps its files on this machine: it is in the box, or named by its folder.

    Args:
        common: Holds `agent.yaml`.
        hub: URL of a hub, from a flag or the environment.
        token_file: Holds a token for it.
        data: Folder of a hub on this machine.

    Raises:
        ConfigError: There is no configuration, or it cannot be used.
    """
    if _meant_hub(hub, common.config, data) is not None:
        return False
    if data is not None:
        return True
    from alectio_agent.cli.settings import load_agent_file
    from alectio_agent.config.settings import EMBEDDED

    return load_agent_file(common.config, is_local=True)[0].platform.url == EMBEDDED


def _meant_hub(hub: str | None, config: Path | None, data: Path | None) -> str | None:
    """A flag beats the environment."""
    source = click.get_current_context().get_parameter_source("hub")
    is_outdone = source is ParameterSource.ENVIRONMENT and (config is not None or data is not None)
    return None if is_outdone else hub


@contextmanager
def _mends(operator: "OperationClient", token_file: Path | None, needs: "Scope") -> Iterator[None]:
    """Say what to do about whatever the hub refuses, as long as it can be asked."""
    from alectio_agent.cli.hub_hints import refusal_mend, silence_mend, token_mend
    from alectio_agent.core.errors import (
        NotAuthorizedError,
        PlatformRejectedError,
        PlatformUnavailableError,
        UsageError,
    )

    try:
        yield
    except PlatformUnavailableError as error:
        error.hint = error.hint or silence_mend(error)
        raise
    except NotAuthorizedError as error:
        error.hint = error.hint or token_mend(error.code, token_file, needs)
        raise
    except PlatformRejectedError as error:
        if error.problem not in ("conflict", "not-found", "invalid"):
            raise
        hint = _next_command(operator) if error.code == "E-EXP-02" else refusal_mend(error)
        raise UsageError(error.message, hint=hint, code=error.code) from error


def _next_command(operator: "OperationClient") -> str:
    """What can be done with an experiment in its state; empty when that is not known."""
    from alectio_agent.cli.hub_hints import NEXT
    from alectio_agent.core.errors import PlatformError

    name = click.get_current_context().params.get("name")
    if not isinstance(name, str):
        return ""
    try:
        return NEXT[operator.experiment(name).state].format(name=name)
    except PlatformError:
        return ""  # the refusal itself is what must be told


def _check_folder(data: Path) -> None:
    from alectio_agent.core.errors import UsageError
    from alectio_agent.hub.server.lock import LOCK_FILE

    if not (data / LOCK_FILE).is_file():
        raise UsageError(
            f"--data {data}: no hub has ever run in this folder",
            hint=f"Start one: alectio-agent hub serve --data {data}",
            code="E-HUB-01",
        )
