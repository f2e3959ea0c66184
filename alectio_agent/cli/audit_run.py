"""What `audit` does: prints the record, checks it, or explains what can leave."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path

import click

from alectio_agent.agent.journal.egress_reading import EgressReader, Verdict, reading_egress
from alectio_agent.agent.journal.egress_rows import FILE
from alectio_agent.cli.audit_rows import (
    CSV_HEAD,
    AuditRow,
    csv_line,
    of_counting,
    of_entry,
    of_verdict,
    text_line,
)
from alectio_agent.cli.folding import fold_lines, page_width
from alectio_agent.cli.leaving import leaving
from alectio_agent.cli.leaving_text import explain_text
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say, tell
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.cli.sight import check_sight
from alectio_agent.core.clock import SystemClock, timestamp
from alectio_agent.core.errors import ExitCode, StoreDamagedError, UsageError
from alectio_agent.core.log import printable
from alectio_agent.core.units import count


@dataclass(frozen=True)
class Asked:
    """What is to be printed."""

    since_s: float | None
    job: str
    as_csv: bool
    is_verified: bool
    is_explained: bool


def run_audit(common: Common, asked: Asked) -> ExitCode:
    """Print what was asked for.

    Args:
        common: The options of every command.
        asked: Which.

    Returns:
        The exit code.

    Raises:
        UsageError: Options that do not go together, or no agent has worked there.
        ControlDeniedError: This user may not look.
        StoreError: The record cannot be read.
    """
    _check(common, asked)
    settings, _ = load_agent_file(common.config, is_local=True)
    if asked.is_explained:
        found = leaving(settings.pipelines)
        as_json = json.dumps([field.model_dump() for field in found], indent=2)
        click.echo(as_json if common.as_json else explain_text(found, page_width()))
        return ExitCode.CLEAN
    folder = settings.agent.state_dir
    check_sight(folder)
    if not (folder / FILE).is_file():
        raise UsageError(
            f"{folder}: no agent has written down there what it sent",
            hint="Start one: alectio-agent run; what can leave: alectio-agent audit --explain",
            code="E-USE-02",
        )
    if asked.is_verified:
        return _verify(folder, as_json=common.as_json)
    with reading_egress(folder) as reader:
        _print(_rows(reader, asked), common, asked)
    return ExitCode.CLEAN


def _check(common: Common, asked: Asked) -> None:
    if asked.as_csv and common.as_json:
        raise UsageError("found --csv and --json, expected one of them")
    alone = {"--verify": asked.is_verified, "--explain": asked.is_explained}
    with_rows = {"--since": asked.since_s is not None, "--job": asked.job, "--csv": asked.as_csv}
    whole = [name for name, is_set in alone.items() if is_set]
    parts = [name for name, is_set in with_rows.items() if is_set]
    if len(whole) > 1 or (whole and parts):
        raise UsageError(
            f"found {' and '.join(whole + parts)}, expected {whole[0]} without the other",
            hint="One after the other",
        )


def _rows(reader: EgressReader, asked: Asked) -> Iterator[AuditRow]:
    since = ""
    if asked.since_s is not None:
        since = timestamp(SystemClock().now() - timedelta(seconds=asked.since_s))
    counted = map(of_counting, [] if asked.job else reader.counting())
    return chain(map(of_entry, reader.entries(since, asked.job)), counted)


def _print(rows: Iterable[AuditRow], common: Common, asked: Asked) -> None:
    if common.as_json:
        _print_json(rows)
    elif asked.as_csv:
        click.echo(CSV_HEAD)
        for row in rows:
            click.echo(csv_line(row))
    else:
        _print_text(rows)


def _print_json(rows: Iterable[AuditRow]) -> None:
    """A list, one row a line: there may be millions."""
    before = "[\n"
    for row in rows:
        sys.stdout.write(f"{before}{row.model_dump_json()}")
        before = ",\n"
    click.echo("\n]" if before == ",\n" else "[]")


def _print_text(rows: Iterable[AuditRow]) -> None:
    way, shown = "", 0
    for row in rows:
        if row.target is not None:
            here = f"to {row.target}{f' through {row.via}' if row.via else ''}"
            if here != way:
                click.echo(printable(here))
            way = here
        click.echo(fold_lines(text_line(row), page_width(), hang=12))
        shown += 1
    say("digests and names of fields: --json or --csv" if shown else "nothing left")


def _verify(folder: Path, *, as_json: bool) -> ExitCode:
    try:
        with reading_egress(folder) as reader:
            found = reader.verify()
    except StoreDamagedError as error:
        why = error.message.removeprefix(f"{folder / FILE}: ")
        found = Verdict(0, 1, f"the file is damaged: {why}")
    file = folder / FILE
    if as_json:
        click.echo(of_verdict(found).model_dump_json(indent=2))
    elif found.broken is None:
        tell(f"{file}: {count(found.rows, 'row')}, each as it was written")
        tell(f"newest: row {found.newest}, hash {found.digest}")
        say("Note number and hash elsewhere: rows that are cut off later show by them")
    else:
        tell(f"{file}: row {found.broken}: {found.why}")
        say(
            "Rows before it are as they were written. Keep a copy of the file, and compare it with "
            "what was noted elsewhere (audit.journald): somebody changed it, or the disk did"
        )
    return ExitCode.CLEAN if found.broken is None else ExitCode.FAILED
