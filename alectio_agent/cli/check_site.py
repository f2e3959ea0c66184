"""The checks of the place: state folder, disk, token's file, the hub's packages."""

import os
import pwd
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from alectio_agent.agent.jobs.claim_check import FreeDisk
from alectio_agent.agent.journal.egress_reading import reading_egress
from alectio_agent.agent.journal.egress_rows import FILE
from alectio_agent.agent.journal.history import JOURNAL, past_jobs
from alectio_agent.agent.journal.lock_holder import lock_holder
from alectio_agent.agent.service.control.client import call
from alectio_agent.agent.service.control.protocol import Request
from alectio_agent.cli.check_pipelines import nearest_existing
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.token_file import read_token
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import (
    AlectioAgentError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
)
from alectio_agent.core.free_disk import disk_of
from alectio_agent.core.hub_packages import need_hub_packages
from alectio_agent.core.log import printable
from alectio_agent.core.units import format_size

LOW_BYTES = 2**30
FULL_BYTES = 2**20


def check_state(folder: Path) -> Iterator[Check]:
    """Look at the agent's state folder, and whether an agent works in it.

    Args:
        folder: May be missing.

    Yields:
        One check or two.
    """
    there = nearest_existing(folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK | os.R_OK):
        what = "may not be written by this user" if there.is_dir() else "is no folder"
        hint = "Run this as the agent's user, or set agent.state_dir to a folder of your own."
        yield failed("state folder", StoreError(f"{folder}: {there} {what}", hint=hint))
        return
    if there != folder:
        yield passed("state folder", f"{folder} (will be made)")
        return
    found = folder.stat()
    owner, mode = _user(found.st_uid), stat.S_IMODE(found.st_mode)
    yield passed("state folder", f"{folder}, owner {owner}, {mode:04o}", _doubt(folder, found))
    yield from _check_journal(folder)
    yield from _check_record(folder)
    holder = lock_holder(folder)
    if holder is not None:
        yield _check_running(folder, holder)


def _check_running(folder: Path, holder: int) -> Check:
    """Ask the agent at work which version it is: an update counts from its next start on."""
    said = f"an agent works in this folder (process {holder})"
    try:
        with call(folder, Request(verb="state"), SystemClock()) as made:
            running = "" if made is None else printable(made.answer.get("version", ""), 40)
    except AlectioAgentError as error:
        return passed("running", said, f"{error.code}  its version is not known: {error.message}")
    installed = version("alectio-agent")
    if not running or running == installed:
        return passed("running", said)
    warning = f"it is version {running}; {installed} is installed: alectio-agent restart --wait"
    return passed("running", said, warning)


def _check_journal(folder: Path) -> Iterator[Check]:
    """Read the agent's memory, if there is one: without it no agent starts."""
    if not (folder / JOURNAL).exists():
        return
    try:
        jobs = past_jobs(folder, 1)
    except StoreError as error:
        yield failed("journal", error)
        return
    newest = f", the newest job is {jobs[0].job}" if jobs else ", no job yet"
    yield passed("journal", f"{JOURNAL} can be read{newest}")


def _check_record(folder: Path) -> Iterator[Check]:
    """Open the record of what left: an agent that cannot write it down sends nothing.

    `audit --verify` reads all of it.
    """
    file = folder / FILE
    if not file.exists():
        return
    try:
        with reading_egress(folder) as reader:
            newest = reader.newest()
    except StoreDamagedError as error:
        yield passed("record", f"{FILE} is damaged", f"E-DISK-09  {error.message}. {error.hint}")
    except StoreError as error:
        yield failed("record", error)
    else:
        yield passed("record", f"{FILE} can be read, its newest row is of {newest[:16]}Z")


def check_disk(settings: AgentFile) -> Check:
    """Look at the room that is left for results and checkpoints.

    Args:
        settings: Name the folders, and how little keeps an agent from asking for jobs.

    Raises:
        StoreFullError: Nothing more can be written.
        StoreError: A disk does not answer.
    """
    folders = {"agent.state_dir": settings.agent.state_dir}
    for name, pipeline in settings.pipelines.items():
        folders[f"pipelines.{name}.checkpoints.dir"] = pipeline.checkpoints.dir
    disks = {key: (folder, _disk(key, folder)) for key, folder in folders.items()}
    for key, (folder, disk) in disks.items():
        free = disk.f_bavail * disk.f_frsize
        if free < FULL_BYTES or (disk.f_files and not disk.f_favail):
            what = "no file more can be made" if free >= FULL_BYTES else f"{format_size(free)} free"
            raise StoreFullError(
                f"{folder} ({key}): the disk is full: {what}",
                hint="Free some, or name a folder on another disk.",
            )
    free = min(disk.f_bavail * disk.f_frsize for _, disk in disks.values())
    warning = FreeDisk(settings.claim.min_free_disk, folders)()
    if warning:
        warning = f"E-DISK-06  no job is asked for: {warning}"
    elif free < LOW_BYTES:
        warning = (
            f"E-DISK-01  less than {format_size(LOW_BYTES)} is free; results and checkpoints may "
            "not fit"
        )
    return passed("disk", f"{format_size(free)} free", warning)


def check_token(settings: AgentFile) -> Check:
    """Look at the token's file.

    Args:
        settings: Name it.

    Raises:
        ConfigError: The token cannot be used.
    """
    read_token(settings, os.environ)
    file = settings.platform.token_file
    assert file is not None  # noqa: S101 - a platform elsewhere has one, or it was not loaded
    return passed("token file", f"{file} ({stat.S_IMODE(file.stat().st_mode):04o})")


def check_hub() -> Check:
    """Look whether the hub in the box is installed.

    Raises:
        ConfigError: A package is missing.
    """
    need_hub_packages()
    return passed("hub", "in the box, its packages are installed")


def _disk(key: str, folder: Path) -> os.statvfs_result:
    try:
        return disk_of(folder)
    except OSError as error:
        raise StoreError(f"{folder} ({key}): its disk cannot be seen: {error.strerror}") from error


def _doubt(folder: Path, found: os.stat_result) -> str:
    if found.st_uid != os.geteuid():
        owner = _user(found.st_uid)
        return f"it belongs to {owner}; the agent must run as that user: sudo -u {owner}"
    if found.st_mode & 0o077:
        return f"others may look into it: chmod 700 {folder}"
    return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
