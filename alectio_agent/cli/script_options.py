"""Options of `run` that a script of the old SDK gives itself; hidden: no person types them."""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from alectio_agent.cli.run_script import ScriptRun

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

OPTIONS = (
    click.option("--script", type=click.Path(path_type=Path), hidden=True),
    click.option("--pipeline", metavar="NAME", hidden=True),
    click.option("--hook", "hooks", multiple=True, metavar="STEP=FUNCTION", hidden=True),
    click.option("--as-module", "is_module", is_flag=True, hidden=True),
    click.option("--args-fd", type=int, hidden=True),
    click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar=""),
)


def script_options(command: CommandT) -> CommandT:
    """Give `run` the options of a script.

    Args:
        command: Takes what they said as `script`; None for a run without one.

    Returns:
        The command with these options.
    """

    @functools.wraps(command)
    def called(
        *,
        script: Path | None,
        pipeline: str | None,
        hooks: tuple[str, ...],
        is_module: bool,
        args_fd: int | None,
        argv: tuple[str, ...],
        **options: Any,
    ) -> Any:
        if script is None:
            _refuse_rest(pipeline, argv)
            return command(script=None, **options)
        told = _script_run(script, pipeline, hooks, args_fd)
        return command(script=told(argv=argv, is_module=is_module), **options)

    decorated: Any = called
    for option in reversed(OPTIONS):
        decorated = option(decorated)
    found: CommandT = decorated
    return found


def _refuse_rest(pipeline: str | None, argv: tuple[str, ...]) -> None:
    if argv:
        plural = "s" if len(argv) > 1 else ""
        raise click.UsageError(f"Got unexpected extra argument{plural} ({' '.join(argv)})")
    if pipeline is not None:
        raise click.UsageError("--pipeline goes with --script")


def _script_run(
    script: Path, pipeline: str | None, hooks: tuple[str, ...], args_fd: int | None
) -> "Callable[..., ScriptRun]":
    from alectio_agent.cli.run_script import ScriptRun
    from alectio_agent.core.slug import slug

    named = dict(hook.partition("=")[::2] for hook in hooks)
    name = pipeline or slug(script.stem, "main")
    return functools.partial(ScriptRun, script.absolute(), name, named, _args(args_fd))


def _args(number: int | None) -> dict[str, Any]:
    if number is None:
        return {}
    try:
        with os.fdopen(number, "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--args-fd {number}: {error}") from error
    return found if isinstance(found, dict) else {}
