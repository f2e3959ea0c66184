"""How the packages that only the hub needs get into the environment of this program."""

import sys
from pathlib import Path

DEBIAN = Path("/opt/alectio-agent")


def hub_wish(prefix: str | None = None) -> str:
    """The command that installs them.

    Args:
        prefix: Of the environment; default: this program's.
    """
    # pip must not write where dpkg does: an upgrade would leave the files behind.
    if Path(prefix or sys.prefix).parent == DEBIAN:
        return "apt install alectio-agent-hub"
    return "pip install 'alectio-agent[hub]'"
