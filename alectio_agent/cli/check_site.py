"""The checks of the place: state folder, disk, token, the hub's packages, the platform."""

import os
import pwd
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from alectio_agent.agent.client.network import read_network
from alectio_agent.agent.journal.history import JOURNAL, past_jobs
from alectio_agent.agent.journal.lock_holder import lock_holder
from alectio_agent.cli.agent_state import CLEAR_TEXT
from alectio_agent.cli.check_pipelines import nearest_existing
from alectio_agent.cli.hub_connection import operation_client
from alectio_agent.cli.hub_hints import silence_mend, token_mend
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.token_file import read_token
from alectio_agent.config.values import is_loopback
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.errors import ConfigError, NotAuthorizedError, PlatformError, StoreError
from alectio_agent.core.free_disk import free_bytes
from alectio_agent.core.hub_packages import hub_wish
from alectio_agent.core.units import format_size

LOW_BYTES = 2**30
HUB_PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "numpy", "sklearn", "threadpoolctl")


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
    holder = lock_holder(folder)
    if holder is not None:
        yield passed("running", f"an agent works in this folder (process {holder})")


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


def check_disk(folder: Path) -> Check:
    """Look at the room that is left for results.

    Args:
        folder: The state folder; may be missing.
    """
    free = free_bytes(folder)
    warning = ""
    if free < LOW_BYTES:
        warning = (
            f"E-DISK-01  {folder}: less than {format_size(LOW_BYTES)} is free; results and "
            "checkpoints may not fit"
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
    return passed("token", f"{file} ({stat.S_IMODE(file.stat().st_mode):04o})")


def check_hub() -> Check:
    """Look whether the hub in the box is installed.

    Raises:
        ConfigError: A package is missing.
    """
    missing = [name for name in HUB_PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"E-HUB-02  the hub in the box needs packages that are not installed: "
            f"{', '.join(missing)}",
            hint=f"{hub_wish()}, or set platform.url to a platform elsewhere.",
        )
    return passed("hub", "in the box, its packages are installed")


def check_platform(settings: AgentFile) -> Check:
    """Call the platform once.

    Args:
        settings: Name it and the token.

    Raises:
        ConfigError: The token cannot be read, or the proxy or the CAs cannot be used.
        PlatformError: No answer, or the token is refused.
    """
    url = settings.platform.url
    try:
        network = read_network(url, os.environ, settings)
        found = operation_client(url, read_token(settings, os.environ), network).platform()
    except PlatformError as error:
        file = settings.platform.token_file
        error.hint = error.hint or silence_mend(error) or token_mend(error.code, file)
        raise
    if found.scope != "agent":
        raise NotAuthorizedError(
            f"{url} takes the token, but its scope is {found.scope}; expected agent",
            problem="forbidden",
            hint="On the hub's machine: alectio-agent hub token create NAME",
        )
    way = f", through the proxy {network.proxy.url}" if network.proxy else ""
    said = f"{url} answers (version {found.version}){way}, token of scope agent"
    is_clear = url.startswith("http:") and not is_loopback(url)
    return passed("platform", said, CLEAR_TEXT.format(url=url) if is_clear else "")


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
