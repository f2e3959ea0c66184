"""What `support-bundle` does: collect, mask, show, ask, write."""

import json
import os
import socket
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import click

from alectio_agent.cli.bundle_files import Entry, Subject, collect, unit_files
from alectio_agent.cli.bundle_secrets import (
    environment_secrets,
    settings_secrets,
    unit_secrets,
)
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say, tell
from alectio_agent.cli.sight import check_sight
from alectio_agent.config.loader import load_layers
from alectio_agent.config.lookup import find_if_any
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ConfigError, StoreError, UsageError
from alectio_agent.core.masking import Masker
from alectio_agent.core.units import format_size


def bundle(common: Common, file: Path | None, *, may_write: bool, has_job_logs: bool) -> None:
    """Collect a bundle, show what it holds, and write it when a person says so.

    Args:
        common: The options of every command.
        file: Where to; None for a name of this moment in the working folder.
        may_write: Nobody is asked.
        has_job_logs: With what the hooks printed.

    Raises:
        UsageError: There is nobody to ask, or the file is there already.
        ControlDeniedError: This user may not look into the state folder.
        StoreError: It cannot be written.
    """
    target = _target(file)
    subject = _subject(common, has_job_logs=has_job_logs)
    if subject.settings is not None:
        check_sight(subject.settings.agent.state_dir)
    masker = _masker(subject)
    entries = [
        Entry(masker.mask(each.name.encode()).decode(), each.about, masker.mask(each.content))
        for each in collect(
            subject, lambda what: None if common.is_quiet else say(f"collecting: {what} ...")
        )
    ]
    entries.append(Entry("masked.txt", "what was masked", _told(masker)))
    if not common.as_json:
        _show(entries, masker, has_job_logs=has_job_logs)
    if not may_write and not _is_wanted(target):
        say("Nothing was written.")
        return
    _write(entries, target)
    if common.as_json:
        files = [{"name": each.name, "bytes": len(each.content)} for each in entries]
        click.echo(json.dumps({"file": str(target), "files": files}, indent=2))
    else:
        tell(f"{target} written, for its owner alone (0600)")
        say("Nothing was sent. Look into it before you send it: tar -xzOf FILE | less")


def _target(file: Path | None) -> Path:
    if file is None:
        moment = SystemClock().now()
        host = socket.gethostname().partition(".")[0]
        file = Path(f"alectio-support-{host}-{moment:%Y%m%d-%H%M%S}.tar.gz")
    if os.path.lexists(file):
        raise UsageError(f"{file} is there already; a bundle overwrites nothing")
    return file


def _subject(common: Common, *, has_job_logs: bool) -> Subject:
    """The configuration, as far as there is one that loads: without it a bundle helps most."""
    file = find_if_any(common.config, os.environ, Path.cwd())
    if file is None:
        return Subject(None, None, None, "no agent.yaml was found", has_job_logs)
    try:
        settings, layers = load_layers(file, AgentFile, os.environ)
    except ConfigError as error:
        return Subject(file, None, None, str(error), has_job_logs)
    return Subject(file, settings, layers, "", has_job_logs)


def _masker(subject: Subject) -> Masker:
    found = [*environment_secrets(os.environ), *unit_secrets(unit_files())]
    if subject.settings is not None:
        found += settings_secrets(subject.settings, os.environ)
    return Masker(found)


def _told(masker: Masker) -> bytes:
    lines = [f"masked by value: {name}" for name in sorted(masker.names)]
    lines += [f"too short to be masked: {name}" for name in sorted(masker.too_short)]
    return ("\n".join(lines) + "\n").encode()


def _show(entries: list[Entry], masker: Masker, *, has_job_logs: bool) -> None:
    widest = max(len(each.name) for each in entries)
    for each in entries:
        size = format_size(len(each.content))
        click.echo(f"{each.name:<{min(widest, 40)}}  {size:>10}  {each.about}")
    if not has_job_logs:
        click.echo("left out: what your hooks printed, which may quote data (--job-logs)")
    for name in sorted(masker.too_short):
        say(f"warning: {name} is too short to be masked by its value: look for it yourself")


def _is_wanted(target: Path) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody can be asked here whether this is to be written",
            hint="Write it: alectio-agent support-bundle --yes",
        )
    try:
        return click.confirm(f"Write {target}?", err=True)
    except click.Abort:  # Ctrl-C or Ctrl-D is an answer, too
        say("")
        return False


def _write(entries: list[Entry], target: Path) -> None:
    moment = SystemClock().now().timestamp()
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz") as packed,
        ):
            for each in entries:
                about = tarfile.TarInfo(f"alectio-support/{each.name}")
                about.size, about.mode, about.mtime = len(each.content), 0o600, int(moment)
                packed.addfile(about, BytesIO(each.content))
    except OSError as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"{target} cannot be written ({error.strerror})") from error
