"""Finds the hub that a command is about; starts it for the command when it sleeps."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.service.hub_process import HubProcess
from alectio_agent.cli.hub_hints import checked_url
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.config.lookup import find_if_any
from alectio_agent.config.settings import EMBEDDED, AgentFile
from alectio_agent.config.token_file import read_token_file
from alectio_agent.config.values import is_loopback
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ConfigError, PlatformError, UsageError

HUB_FILE = "hub.json"
MEND = (
    "Name its file with --token-file or $ALECTIO_HUB_TOKEN_FILE: a viewer's token to look, an "
    "operator's to change something."
)


def operation_client(url: str, token: str, network: Network | None = None) -> OperationClient:
    """A client for a hub whose URL and token are known.

    Args:
        url: Of the hub.
        token: Of an operator or viewer.
        network: How it is reached; None for what the environment says.
    """
    clock = SystemClock()
    transport = HttpTransport(url, os.environ, clock, network=network)
    return OperationClient(transport, lambda: token, clock)


@contextmanager
def open_hub(
    config: Path | None = None,
    hub: str | None = None,
    token_file: Path | None = None,
    data: Path | None = None,
    on_start: Callable[[], None] = lambda: None,
) -> Iterator[OperationClient]:
    """Reach the hub that the command line names.

    Args:
        config: `agent.yaml`; asked only when neither `hub` nor `data` is given.
        hub: URL of a hub.
        token_file: Holds a token for it.
        data: Folder of a hub on this machine.
        on_start: Called before a hub that sleeps is started, which takes seconds.

    Yields:
        A client; the hub is started for the duration when it lies on this machine and sleeps.

    Raises:
        UsageError: That is no URL, or would send a token in the clear.
        ConfigError: A distant hub without a token.
        AlectioAgentError: Whatever starting the hub or reading files can raise.
    """
    if hub is not None:
        hub = checked_url(hub)
        refuse_clear_text(hub)
        yield operation_client(hub, _token(token_file), network_to(hub))
        return
    if data is not None:
        folder, results = data, data / "results"
    else:
        settings, file = load_agent_file(config)
        if settings.platform.url != EMBEDDED:
            url = settings.platform.url
            network = read_network(url, os.environ, settings)
            yield operation_client(url, _token(token_file), network)
            return
        folder, results = hub_folders(settings, file)
    running = _running(folder)
    if running is not None:
        yield running
        return
    on_start()
    with _started(folder, results) as client:
        yield client


def hub_folders(settings: AgentFile, file: Path) -> tuple[Path, Path]:
    """Where the hub in the box keeps its data and writes results.

    Args:
        settings: The agent's.
        file: The configuration they came from.

    Returns:
        The data folder and the results folder.
    """
    return settings.agent.state_dir / "hub", file.parent / "results"


def network_to(url: str) -> Network:
    """The way to a hub elsewhere: as `agent.yaml` says, when there is one here.

    Args:
        url: Of the hub.
    """
    if url.startswith("http:") and is_loopback(url):
        return Network()
    file = find_if_any(None, os.environ, Path.cwd())
    settings = None if file is None else load_agent_file(file)[0]
    return read_network(url, os.environ, settings)


def refuse_clear_text(url: str) -> None:
    """A token is not sent in the clear to another machine.

    Args:
        url: Of a hub.

    Raises:
        UsageError: It would be.
    """
    if url.startswith("http:") and not is_loopback(url):
        raise UsageError(
            f"{url}: plain http would send the token in the clear",
            hint="Use https://, or run the command on the hub's machine with --data FOLDER.",
            code="E-NET-03",
        )


def _token(token_file: Path | None) -> str:
    if token_file is None:
        raise ConfigError(
            "no token for this hub",
            hint=MEND,
            code="E-AUTH-01",
        )
    return read_token_file(token_file)


def _running(folder: Path) -> OperationClient | None:
    """A client for the hub that works in this folder; None when none answers."""
    try:
        found = json.loads((folder / HUB_FILE).read_text())
        network = None
        if "certificate" in found:
            network = Network.pinned(str(found["certificate"]), str(found["server_name"]))
        client = operation_client(str(found["url"]), str(found["operator_token"]), network)
        client.platform()
    except (OSError, ValueError, KeyError, TypeError, PlatformError, ConfigError):
        return None
    return client


@contextmanager
def _started(folder: Path, results: Path) -> Iterator[OperationClient]:
    process = HubProcess(folder, results)
    try:
        process.start()
        yield operation_client(process.url, process.tokens.operator)
    finally:
        process.stop()
