"""`outbox export`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options

if TYPE_CHECKING:
    from alectio_agent.agent.journal.export_form import Export
    from alectio_agent.agent.journal.exporting import Gathered


@click.command
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--platform", "platform_id", metavar="ID", help="When results wait for several.")
@common_options
def export(*, file: Path, platform_id: str | None, common: Common) -> None:
    """Write all results that wait for delivery into one FILE, to be carried where the platform is.

    The agent may run or not, and nothing changes for it: the results stay until the platform has
    acknowledged them. `outbox import FILE` on a machine that reaches the platform delivers them.
    """
    from alectio_agent.agent.journal.exporting import gather, write_export
    from alectio_agent.cli.outbox_view import check_folder
    from alectio_agent.cli.screen import say
    from alectio_agent.cli.settings import load_agent_file
    from alectio_agent.core.errors import ExitCode

    settings, _ = load_agent_file(common.config, is_local=True)
    folder = settings.agent.state_dir
    check_folder(folder)
    platform = _platform(folder, platform_id)
    if platform is None:
        _print(common, None, None, "", [])
        return
    found = gather(folder, platform)
    index = _index(settings.agent.name, folder, platform, found)
    sha256 = write_export(file, index, found.sources) if found.messages else ""
    for line in found.broken:
        say(f"left out: {line}")
    _print(common, file if found.messages else None, found, sha256, found.broken)
    if found.broken:
        click.get_current_context().exit(ExitCode.FAILED)


def _platform(folder: Path, wanted: str | None) -> str | None:
    """The platform whose results are meant; None when nothing waits for it."""
    from alectio_agent.agent.journal.exporting import waiting_platforms
    from alectio_agent.core.errors import UsageError

    there = waiting_platforms(folder)
    if wanted is not None:
        return wanted if wanted in there else None
    if len(there) > 1:
        raise UsageError(
            f"{folder}: results wait for {len(there)} platforms: {', '.join(there)}",
            hint="A file for each: outbox export FILE --platform ID",
            code="E-OUT-02",
        )
    return there[0] if there else None


def _index(agent: str, folder: Path, platform_id: str, found: "Gathered") -> "Export":
    from alectio_agent.agent.journal.export_form import Export
    from alectio_agent.cli.installation import installation_id
    from alectio_agent.core.clock import SystemClock, timestamp

    return Export(
        agent=agent,
        installation_id=installation_id(folder),
        platform_id=platform_id,
        created_at=timestamp(SystemClock().now()),
        claims=found.claims,
        messages=found.messages,
    )


def _print(
    common: Common, file: Path | None, found: "Gathered | None", sha256: str, broken: list[str]
) -> None:
    from alectio_agent.cli.outbox_outcome import Exported
    from alectio_agent.cli.screen import say
    from alectio_agent.core.units import count, format_size

    messages = found.messages if found else []
    told = Exported(
        file=None if file is None else str(file),
        sha256=sha256,
        messages=len(messages),
        size_bytes=0 if file is None else file.stat().st_size,
        left_out=broken,
    )
    if common.as_json:
        click.echo(told.model_dump_json(indent=2))
    elif file is None:
        click.echo("nothing waits that could be written; no file was made")
    else:
        size = format_size(told.size_bytes)
        click.echo(f"{file}: {count(told.messages, 'message')} ({size}), SHA-256 {sha256}")
        if not common.is_quiet:
            say(
                f"Carry it to a machine that reaches the platform: alectio-agent outbox import "
                f"{file.name}"
            )
