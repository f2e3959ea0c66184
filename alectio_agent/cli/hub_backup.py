"""`hub backup`."""

import json
from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of a hub on this machine; without: of the hub in the box of agent.yaml.",
)
@click.option("--verify", is_flag=True, help="Read the backup FILE again; nothing is copied.")
@common_options
def backup(*, file: Path, data: Path | None, verify: bool, common: Common) -> None:
    """Copy a hub's folder into FILE, a tar archive (packed when it ends with gz).

    The hub goes on meanwhile. The copy is of one moment, is read again before it counts, and holds
    everything but the tokens themselves, of which a hub keeps digests only. To restore it, unpack
    it into an empty folder and serve that.
    """
    from alectio_agent.cli.screen import say, tell
    from alectio_agent.core.clock import SystemClock
    from alectio_agent.core.units import format_size
    from alectio_agent.hub.server.backup import make_backup, read_backup

    if not verify:
        make_backup(_folder(common, data), file, SystemClock())
    made = read_backup(file)
    size = file.stat().st_size
    if common.as_json:
        told = {"file": str(file), "bytes": size, "files": len(made.digests)}
        click.echo(json.dumps({**told, "made_at": made.made_at, "version": made.version}, indent=2))
        return
    tell(
        f"{file}: {len(made.digests)} files, {format_size(size)}, of {made.made_at}, read again: "
        "whole"
    )
    if not verify and not common.is_quiet:
        say(
            f"Restore: mkdir -m 700 DIR && tar -xf {file} -C DIR && alectio-agent hub serve "
            "--data DIR"
        )


def _folder(common: Common, data: Path | None) -> Path:
    from alectio_agent.cli.hub_connection import hub_folders
    from alectio_agent.cli.settings import load_agent_file
    from alectio_agent.core.errors import UsageError
    from alectio_agent.hub.server.settings import DATABASE

    if data is None:
        settings, config = load_agent_file(common.config, is_local=True)
        if not settings.platform.is_embedded:
            raise UsageError(
                f"{settings.platform.url} is a hub elsewhere, whose folder is not here",
                hint="On its machine: alectio-agent hub backup FILE --data FOLDER",
                code="E-HUB-01",
            )
        data = hub_folders(settings, config)[0]
    elif common.config is not None:
        raise UsageError("--config and --data name two hubs; expected one", code="E-HUB-01")
    if not (data / DATABASE).is_file():
        raise UsageError(
            f"{data}: no hub has ever run in this folder",
            hint="Name the folder that `alectio-agent hub serve` names when it starts: --data.",
            code="E-HUB-01",
        )
    return data
