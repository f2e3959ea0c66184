"""What `enroll` does: read a token, try it, write it."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.cli.agent_state import CLEAR_TEXT
from alectio_agent.cli.hub_connection import operation_client, refuse_clear_text
from alectio_agent.cli.hub_hints import checked_url, silence_mend
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say
from alectio_agent.cli.service_unit import FOLDERS, UNIT, ServiceUnit
from alectio_agent.cli.token_prompt import typed_token
from alectio_agent.config.loader import load
from alectio_agent.config.lookup import find_if_any
from alectio_agent.config.settings import TOKEN_FILE_VARIABLE, AgentFile
from alectio_agent.config.token_writing import token_owner, write_token_file
from alectio_agent.config.values import is_loopback
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import (
    ConfigError,
    NotAuthorizedError,
    PlatformError,
    PlatformUnavailableError,
    UsageError,
)
from alectio_agent.core.ids import TOKEN_PREFIX
from alectio_agent.core.units import format_duration
from alectio_agent.wire.operation import PlatformInfo

CREATE = "On the hub's machine: alectio-agent hub token create NAME"


@dataclass(frozen=True)
class Wanted:
    """What the command line says.

    Attributes:
        is_forced: The token is written though the platform does not answer.
    """

    url: str
    token_file: Path | None
    is_forced: bool


@dataclass(frozen=True)
class _Place:
    """Where the token goes, and the way to the platform.

    Attributes:
        config: The `agent.yaml` that was read; None without any.
        state_dir: Of that agent.
    """

    token_file: Path
    network: Network
    config: Path | None
    state_dir: Path | None


def refuse_shown_token(url: str, more: tuple[str, ...]) -> None:
    """See that nobody types the token into the command line.

    Args:
        url: The first word.
        more: The others; none are expected.

    Raises:
        UsageError: It may be there; the message does not repeat it.
    """
    if more or url.startswith(TOKEN_PREFIX):
        raise UsageError(
            "enroll takes a URL and nothing else; the token is asked for, or read from a pipe",
            hint="If a token stood in the command line, others on this machine may have seen it: "
            "revoke it (alectio-agent hub token revoke NAME) and make another.",
        )


def enrol(common: Common, wanted: Wanted) -> None:
    """Read a token, try it, write it, and say so.

    Args:
        common: The options of every command.
        wanted: Those of this one.

    Raises:
        UsageError: It is not clear where the token goes.
        ConfigError: A configuration, or a text that is no token, or a file that cannot be written.
        PlatformError: The platform does not answer, or refuses; the file is as it was.
    """
    url = checked_url(wanted.url, "URL")
    place = _find_place(common, wanted, url)
    token = typed_token()
    try:
        found = _tried(url, token, place)
    except PlatformUnavailableError as error:
        if not wanted.is_forced:
            raise
        error.hint = ""  # it speaks of a file that was not written
        say(f"not tried: {error}")
        found = None
    write_token_file(place.token_file, token, token_owner(place.token_file, place.state_dir))
    _tell(common, url, place, found)


def _find_place(common: Common, wanted: Wanted, url: str) -> _Place:
    file = find_if_any(common.config, os.environ, Path.cwd())
    if file is None:
        if wanted.token_file is None:
            raise UsageError(
                "no agent.yaml here, so that nobody knows where the token belongs",
                hint="Name its file, --token-file FILE, or the configuration, --config PATH.",
            )
        refuse_clear_text(url)
        return _Place(wanted.token_file.absolute(), read_network(url, os.environ), None, None)
    # The file may say nothing of a token yet: then one beside it is as good as any.
    environment = {TOKEN_FILE_VARIABLE: str(file.parent / "token"), **os.environ}
    environment.pop("CREDENTIALS_DIRECTORY", None)  # a service cannot write there
    settings = load(file, AgentFile, environment, {"platform.url": url}, looks_into_files=True)
    token_file = settings.platform.token_file if wanted.token_file is None else wanted.token_file
    assert token_file is not None  # noqa: S101 - the variable gives one
    network = read_network(url, os.environ, settings)
    return _Place(token_file.absolute(), network, file, settings.agent.state_dir)


def _tried(url: str, token: str, place: _Place) -> PlatformInfo:
    """What the platform says to a token."""
    try:
        found = operation_client(url, token, place.network).platform()
    except PlatformUnavailableError as error:
        mend = error.hint or silence_mend(error)
        error.hint = f"{mend}\n{_as_before(place)} Write it untried: --force".strip()
        raise
    except NotAuthorizedError as error:
        error.hint = f"{_as_before(place)} {CREATE}"
        raise
    except PlatformError as error:
        error.hint = f"{error.hint}\n{_as_before(place)}".strip()
        raise
    if found.scope != "agent":
        raise NotAuthorizedError(
            f"{url} takes the token, but its scope is {found.scope}; expected agent: an agent's "
            "machine keeps no token that may do more",
            problem="forbidden",
            hint=f"{_as_before(place)} {CREATE}",
        )
    return found


def _as_before(place: _Place) -> str:
    if place.token_file.exists():
        return f"{place.token_file} keeps what it holds."
    return f"{place.token_file} was not written."


def _tell(common: Common, url: str, place: _Place, found: PlatformInfo | None) -> None:
    if common.as_json:
        told = {"token_file": str(place.token_file), "url": url, "platform": found and
                found.model_dump(mode="json")}  # fmt: skip
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{place.token_file} written, for its owner alone (0600)")
    if found is not None:
        click.echo(f"{url} takes it (version {found.version})")
        name = f"token {found.token_name}, " if found.token_name else "token of "
        click.echo(f"{name}scope {found.scope}, {_life(found.token_expires_at)}")
    if url.startswith("http:") and not is_loopback(url):
        say(CLEAR_TEXT.format(url=url))
    if lacking := _lacking(url, place):
        say(lacking)
    if place.config is not None and (note := restart_note(place.config)):
        say(note)
    if not common.is_quiet:
        say(common.next_step("check" if place.config else "init DIR"))


def restart_note(config: Path, folders: Sequence[Path] = FOLDERS) -> str:
    """What a service that runs this configuration needs before it uses the new token.

    Args:
        config: Its agent.yaml.
        folders: Where units are installed.

    Returns:
        One line; empty when there is none, or none that got a copy of the token at its start.
    """
    unit = ServiceUnit.find(folders)
    if unit is None or not unit.runs(config):
        return ""
    if not any(each.startswith("LoadCredential") for each in unit.properties):
        return ""
    return f"The service has a copy of the token from its start: sudo systemctl restart {UNIT}"


def _life(ends: datetime | None) -> str:
    if ends is None:
        return "good until it is revoked"
    left_s = max(0.0, (ends - SystemClock().now()).total_seconds())
    return f"good until {ends:%Y-%m-%d %H:%M} UTC ({format_duration(left_s)} left)"


def _lacking(url: str, place: _Place) -> str:
    """What `agent.yaml` does not say yet; empty when it says all."""
    lines = [f"  url: {url}", f"  token_file: {place.token_file}"]
    wanted = "\n".join(["platform:", *lines])
    if place.config is None:
        return f"agent.yaml has to say:\n{wanted}"
    try:
        platform = load(place.config, AgentFile, os.environ).platform
    except ConfigError:
        platform = None
    if platform and platform.url == url and platform.token_file == place.token_file:
        return ""
    return f"{place.config} does not say so yet. It has to say:\n{wanted}"
