"""`init`: the files of a project that runs as it is, or those around a script of the old SDK."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alectio_agent.agent.hooks.child.constants import TASKS
from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.screen import say

if TYPE_CHECKING:
    from alectio_agent.cli.init_files import Draft


class Folder(click.ParamType[Path]):
    """A folder; an empty text, as of a variable that is not set, would mean this one."""

    name = "folder"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Read a folder."""
        if not str(value).strip() or "\0" in str(value):
            self.fail(f"found {value!r}, expected a folder, such as . or first", param, ctx)
        return Path(str(value))


@click.command
@click.argument("folder", metavar="DIR", type=Folder())
@click.option(
    "--from",
    "script",
    metavar="main.py",
    type=click.Path(path_type=Path),
    help="A script of the old SDK; it is read, not run.",
)
@click.option("--python", metavar="PATH", help="Interpreter, or environment, of your functions.")
@click.option(
    "--task",
    metavar="TASK",
    type=click.Choice(TASKS),
    help=f"What is learned: {', '.join(TASKS)}. Default: {TASKS[0]}.",
)
@common_options
def init(
    *, folder: Path, script: Path | None, python: str | None, task: str | None, common: Common
) -> None:
    """Write the files of a new project into DIR: an example to begin with, which runs as it is.

    With --from, write the two configuration files around a script of the old SDK instead.
    """
    from alectio_agent.cli.init_files import check_free, write_all
    from alectio_agent.cli.init_from import draft_from
    from alectio_agent.cli.init_python import find_python
    from alectio_agent.cli.init_starter import draft_starter
    from alectio_agent.cli.old_script import read_old_script

    interpreter = find_python(python) if python is not None else None
    if script is None:
        draft = draft_starter(folder, task or TASKS[0], interpreter)
    else:
        draft = draft_from(read_old_script(script), folder, task, interpreter)
    draft = check_free(folder, draft)
    write_all(folder, draft.files)
    if common.as_json:
        click.echo(json.dumps(draft.told(folder), indent=2))
    else:
        _tell(folder, draft, is_quiet=common.is_quiet)


def _tell(folder: Path, draft: "Draft", *, is_quiet: bool) -> None:
    for name in draft.files:
        click.echo(f"wrote {folder / name}")
    for warning in draft.warnings:
        say(f"! {warning}")
    gaps = draft.gaps()
    if gaps:
        say("To fill in, since no script says it:")
        for file, line, text in gaps:
            say(f"  {folder / file}:{line}  {text}")
    if is_quiet:
        return
    for note in draft.notes:
        say(note)
    say("Next:")
    if folder.absolute() != Path.cwd():
        say(f"  cd {shlex.quote(str(folder))}")
    say("  alectio-agent try    # one small loop, checked")
    say("  alectio-agent run    # the whole experiment")
