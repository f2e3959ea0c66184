"""`hub.json`: how commands on this machine find a hub that runs."""

import os
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.core.errors import StoreError
from alectio_agent.wire.strict_json import dumps

HUB_FILE = "hub.json"


def write_hub_file(
    folder: Path, url: str, operator_token: str, shown: Mapping[str, str] | None = None
) -> None:
    """Say where this hub answers; readable by its owner only, whole or not at all.

    Args:
        folder: The hub's.
        url: Where it answers on this machine.
        operator_token: Good as long as this process lives.
        shown: With TLS the `certificate` itself, which is all that commands on this machine then
            trust, and the `server_name` that they ask it for: its URL here is an address.

    Raises:
        StoreError: The disk refuses.
    """
    document = {"url": url, "operator_token": operator_token, "pid": os.getpid(), **(shown or {})}
    temporary = folder / f".{HUB_FILE}.new"
    try:
        # One left by a killed process might be open to others: it is never written into.
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(dumps(document) + "\n")
        temporary.replace(folder / HUB_FILE)
    except OSError as error:
        raise StoreError(f"{folder / HUB_FILE}: {error.strerror or error}") from error


def remove_hub_file(folder: Path) -> None:
    """Say that no hub runs here; what a killed hub leaves is found out by calling it.

    Args:
        folder: The hub's.
    """
    (folder / HUB_FILE).unlink(missing_ok=True)
