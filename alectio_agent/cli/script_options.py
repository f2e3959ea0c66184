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
    from alectio_agent.config.pipeline import ScriptStart

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

OPTIONS = (
    click.option("--script", type=click.Path(path_type=Path), hidden=True),
    click.option("--pipeline", metavar="NAME", hidden=True),
    click.option("--hook", "hooks", multiple=True, metavar="STEP=FUNCTION", hidden=True),
    click.option("--module", metavar="NAME", hidden=True),
    click.option("--made-at", metavar="LINE:NTH", hidden=True),
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
        module: str | None,
        made_at: str | None,
        args_fd: int | None,
        argv: tuple[str, ...],
        **options: Any,
    ) -> Any:
        if script is None:
            _refuse_rest(pipeline, argv)
            return command(script=None, **options)
        told = _script_run(script, pipeline, hooks, args_fd)
        start = _start(module, made_at)
        return command(script=told(argv=argv, start=start), **options)

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


def _start(module: str | None, made_at: str | None) -> "ScriptStart":
    from alectio_agent.config.pipeline import ScriptStart

    if made_at is None:
        return ScriptStart(module)
    line, _, nth = made_at.partition(":")
    try:
        return ScriptStart(module, int(line), int(nth or 0))
    except ValueError:
        raise click.UsageError(f"--made-at {made_at}: expected LINE:NTH") from None


def _args(number: int | None) -> dict[str, Any]:
    if number is None:
        return {}
    try:
        with os.fdopen(number, "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--args-fd {number}: {error}") from error
    return found if isinstance(found, dict) else {}
