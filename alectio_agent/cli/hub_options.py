"""Options of the commands that talk to a hub, and the client for the hub that they name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from alectio_agent.agent.client.operation import OperationClient

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

LIST_TEXT = "Those that there are: alectio-agent experiment list"
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


@contextmanager
def named_hub(
    common: Common, hub: str | None, token_file: Path | None, data: Path | None = None
) -> Iterator["OperationClient"]:
    """Reach the hub that the options name; what it refuses is a wrong use of the command.

    Args:
        common: Holds `agent.yaml`.
        hub: URL of a hub, from a flag or the environment.
        token_file: Holds a token for it.
        data: Folder of a hub on this machine.

    Yields:
        A client.

    Raises:
        UsageError: Two hubs are named, none is in the folder, or the hub refuses.
    """
    config = common.config
    from alectio_agent.cli.hub_connection import open_hub
    from alectio_agent.core.errors import PlatformRejectedError, UsageError

    source = click.get_current_context().get_parameter_source("hub")
    if source is ParameterSource.ENVIRONMENT and (config is not None or data is not None):
        hub = None  # a flag beats the environment
    flags = {"--config": config, "--hub": hub, "--data": data}
    given = [flag for flag, value in flags.items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} name two hubs; expected one of them", code="E-HUB-01"
        )
    if data is not None:
        _check_folder(data)
    try:
        with open_hub(config=config, hub=hub, token_file=token_file, data=data) as operator:
            yield operator
    except PlatformRejectedError as error:
        if error.problem in ("conflict", "not-found", "invalid"):
            hint = LIST_TEXT if error.message.startswith("no experiment is called") else ""
            raise UsageError(error.message, hint=hint, code=error.code) from error
        raise


def _check_folder(data: Path) -> None:
    from alectio_agent.core.errors import UsageError
    from alectio_agent.hub.server.lock import LOCK_FILE

    if not (data / LOCK_FILE).is_file():
        raise UsageError(
            f"--data {data}: no hub has ever run in this folder",
            hint=f"Start one: alectio-agent hub serve --data {data}",
            code="E-HUB-01",
        )
