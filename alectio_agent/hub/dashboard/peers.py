"""Who is at the other end of a connection on this machine."""

import ipaddress
import os
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ROOT = 0


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own.

    Args:
        host: Of a connection's other end.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_of_another_user(host: str, port: int, tables: tuple[Path, ...] = TABLES) -> bool:
    """Whether another user of this machine opened a connection.

    The hub in the box asks nobody for a token, and its port is open to all users of the machine.

    Args:
        host: Of the connection's other end, on loopback.
        port: Of that end.
        tables: The kernel's lists of connections.

    Returns:
        True when the kernel names another user than ours; where it says nothing, False.
    """
    owner = _owner(host, port, tables)
    return owner is not None and owner not in (ROOT, os.getuid())


def _owner(host: str, port: int, tables: tuple[Path, ...]) -> int | None:
    wanted = f"{_written(host)}:{port:04X}"
    for table in tables:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            parts = line.split()
            if len(parts) > 7 and parts[1] == wanted:
                return int(parts[7])
    return None


def _written(host: str) -> str:
    """An address as the kernel's list has it: each four bytes turned round."""
    packed = ipaddress.ip_address(host).packed
    groups = [packed[at : at + 4][::-1] for at in range(0, len(packed), 4)]
    return b"".join(groups).hex().upper()
