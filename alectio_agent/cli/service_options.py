"""The options that `service install` and `service print-unit` share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from alectio_agent.cli.units.plan import Plan

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
UNITS = ("alectio-agent", "alectio-agent@", "alectio-hub")

unit_option = click.option(
    "--unit",
    type=click.Choice(UNITS),
    default=UNITS[0],
    show_default=True,
    help="An agent, several on one machine (alectio-agent@NAME), or a hub.",
)
root_option = click.option(
    "--root",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Root folder of an image, which systemd is not told about. Default: this machine.",
)
_OPTIONS = (
    unit_option,
    click.option("--gpu", is_flag=True, help="Let hooks use NVIDIA's GPUs."),
    click.option("--run-as", metavar="USER", help="User of the service, of its files and hooks."),
    click.option(
        "--read",
        metavar="PATH",
        type=click.Path(path_type=Path),
        multiple=True,
        help="Show a path below /home, /root or /tmp, such as an environment. Repeatable.",
    ),
    click.option(
        "--write",
        metavar="PATH",
        type=click.Path(path_type=Path),
        multiple=True,
        help="Let hooks write to a path, such as checkpoints.dir. Repeatable.",
    ),
    click.option(
        "--hooks-may-listen",
        is_flag=True,
        help="Let hooks open ports: torch.distributed and Ray need it, even on one machine.",
    ),
    root_option,
)


def plan_options(command: CommandT) -> CommandT:
    """Give a command the options that say what is written.

    Args:
        command: Takes it as `plan`.

    Returns:
        The command with these options.
    """

    @functools.wraps(command)
    def called(
        *,
        unit: str,
        gpu: bool,
        run_as: str | None,
        read: tuple[Path, ...],
        write: tuple[Path, ...],
        hooks_may_listen: bool,
        root: Path | None,
        **options: Any,
    ) -> Any:
        wanted = (gpu, run_as, read, write, hooks_may_listen)
        return command(plan=_plan(unit, wanted, root), **options)

    decorated: Any = called
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    found: CommandT = decorated
    return found


def _plan(unit: str, wanted: tuple[Any, ...], root: Path | None) -> "Plan":
    from alectio_agent.cli.units.plan import Plan, own_command
    from alectio_agent.cli.units.texts import Unit
    from alectio_agent.cli.units.wishes import Wishes

    where = Path("/") if root is None else root.absolute()
    return Plan(Unit(unit), Wishes(*wanted), where, own_command())
