"""The secrets that this machine's agent knows: what may stand in no support bundle."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from alectio_agent.config.settings import AgentFile, default_token_file
from alectio_agent.core.secret_keys import is_secret

LARGEST_BYTES = 2**20
Secret = tuple[str, str]
"""What it is, and its value."""
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_PLAIN_VALUE = re.compile(r"[0-9.]{1,8}|true|false|yes|no|on|off|none|null", re.IGNORECASE)
"""Of an `env_file` that is no secret, and would take everything else with it."""


def environment_secrets(environment: Mapping[str, str]) -> Iterator[Secret]:
    """Secrets in variables: those with a name that says so, and passwords of proxies.

    Args:
        environment: The variables of this process.
    """
    for name, value in environment.items():
        if is_secret(name, value) and not os.path.exists(value):  # noqa: PTH110 - any text at all
            yield f"${name}", value
        if name.lower().endswith("_proxy"):
            yield from _url_secrets(f"${name}", value)


def settings_secrets(settings: AgentFile, environment: Mapping[str, str]) -> Iterator[Secret]:
    """Secrets that the files hold which a configuration names.

    A file that cannot be read is passed over: what this user may not read is in nothing that this
    user can collect.

    Args:
        settings: Of the agent.
        environment: For where the token lies when they do not say.
    """
    token_file = settings.platform.token_file or default_token_file(environment)
    for line in _lines(token_file):
        yield "the token", line
    for line in _lines(settings.proxy.credentials_file):
        yield "the proxy's credentials", line
        yield "the proxy's password", line.partition(":")[2]
    if settings.proxy.url:
        yield from _url_secrets("proxy.url", settings.proxy.url)
    for line in _lines(settings.tls.client_key):
        if not line.startswith("-----"):
            yield "tls.client_key", line
    yield from _hub_secrets(settings.agent.state_dir / "hub")
    for name, pipeline in settings.pipelines.items():
        where = f"pipelines.{name}"
        yield from _env_file_secrets(f"{where}.env_file", pipeline.env_file)
        yield from (
            (f"{where}.env.{key}", value)
            for key, value in pipeline.env.items()
            if is_secret(key, value)
        )
        yield from _arguments(f"{where}.args", pipeline.args)
        yield from _words(f"{where}.argv", pipeline.argv)
    for key, command in (("claim.check", settings.claim.check),
                         ("notify.command", settings.notify.command)):  # fmt: skip
        yield from _words(key, (command or "").split())


def unit_secrets(files: Iterable[Path]) -> Iterator[Secret]:
    """Secrets that somebody wrote into a unit of systemd, such as a proxy with its password.

    Args:
        files: Units and drop-ins.
    """
    for file in files:
        for line in _lines(file):
            key, _, value = (part.strip() for part in line.partition("="))
            if key == "Environment":
                with suppress(ValueError):
                    words = (word.partition("=") for word in shlex.split(value))
                    for what, secret in environment_secrets({name: v for name, _, v in words}):
                        yield f"{file.name} {what}", secret
            elif key.startswith("SetCredential"):
                yield f"{file.name} {key}", value.partition(":")[2]
            elif key.startswith("Exec"):
                yield from _words(f"{file.name} {key}", value.split())


def _env_file_secrets(what: str, file: Path | None) -> Iterator[Secret]:
    for line in _lines(file):
        found = _LINE.fullmatch(line)
        # A line of another form may be half of a secret.
        value = line if found is None else found[2].strip().strip("\"'")
        name = "" if found is None else f" {found[1]}"
        if not line.startswith("#") and not _PLAIN_VALUE.fullmatch(value):
            yield f"{what}{name}", value


def _hub_secrets(folder: Path) -> Iterator[Secret]:
    for line in _lines(folder / "hub.json"):
        for token in re.findall(r'"operator_token": *"([^"]+)"', line):
            yield "the operator token of the hub in the box", token


def _arguments(what: str, value: Any) -> Iterator[Secret]:
    if isinstance(value, dict):
        for key, item in value.items():
            if is_secret(str(key), item) and not isinstance(item, dict | list):
                yield f"{what}.{key}", str(item)
            yield from _arguments(f"{what}.{key}", item)
    if isinstance(value, list):
        for item in value:
            yield from _arguments(what, item)


def _words(what: str, words: list[str]) -> Iterator[Secret]:
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if is_secret(flag, value):
            if equals:
                yield what, value
            elif word.startswith("-") and at + 1 < len(words):
                yield what, words[at + 1]
        yield from _url_secrets(what, word)


def _url_secrets(what: str, url: str) -> Iterator[Secret]:
    with suppress(ValueError):
        password = urlsplit(url if "://" in url else f"http://{url}").password
        if password:
            yield what, password
            yield what, unquote(password)


def _lines(file: Path | None) -> Iterator[str]:
    """The lines of a small file; none when it cannot be read."""
    if file is None:
        return
    with suppress(OSError, ValueError):
        if file.is_file() and file.stat().st_size <= LARGEST_BYTES:
            text = file.read_bytes().decode("utf-8", "surrogateescape")
            yield from (line.strip() for line in text.splitlines() if line.strip())
