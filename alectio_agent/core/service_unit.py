"""The unit that a process runs in, and what the unit hides from it."""

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "ALECTIO_UNIT"
"""Set by our units to their own name: the kernel's refusals alone do not say whose they are."""
HIDDEN = tuple(
    map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp"))  # noqa: S108 - only compared
)
"""What `ProtectHome=` and `PrivateTmp=` empty."""


def own_unit(environment: Mapping[str, str]) -> str:
    """The name of the unit, such as `alectio-agent.service`; empty outside of ours.

    Args:
        environment: The process's variables.
    """
    return environment.get(VARIABLE, "")


def hidden_root(path: Path) -> Path | None:
    """The folder, hidden from services, that a path lies in.

    Args:
        path: Absolute.
    """
    return next((root for root in HIDDEN if path == root or root in path.parents), None)
