"""How the packages that only the hub needs get into the environment of this program."""

import sys
from importlib.util import find_spec
from pathlib import Path

from alectio_agent.core.errors import ConfigError

DEBIAN = Path("/opt/alectio-agent")
PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "numpy", "sklearn", "threadpoolctl")


def need_hub_packages() -> None:
    """Look whether a hub can be started in this environment.

    Raises:
        ConfigError: A package is missing.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"E-HUB-02  a hub needs packages that are not installed: {', '.join(missing)}",
            hint=f"{hub_wish()}, or set platform.url to a platform elsewhere.",
        )


def hub_wish(prefix: str | None = None) -> str:
    """The command that installs them.

    Args:
        prefix: Of the environment; default: this program's.
    """
    # pip must not write where dpkg does: an upgrade would leave the files behind.
    if Path(prefix or sys.prefix).parent == DEBIAN:
        return "apt install alectio-agent-hub"
    return "pip install 'alectio-agent[hub]'"
