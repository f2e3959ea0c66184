"""Who may steer an agent: its owner, root, and the members of `agent.control_group`.

Members reach the socket through the state folder, which they can pass but not list, and in which
all else is closed to them.
"""

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from alectio_agent.core.errors import ConfigError, StoreError

GROUP_MODE = 0o710
"""Of the state folder when there is a control group: members can pass, and list nothing."""
_PEER = struct.Struct("3i")
_PEER_GROUPS = 59
"""SO_PEERGROUPS, which Python does not name: all groups of who connected, as they were then."""
_MOST_BYTES = 1024
"""That Python reads: 256 groups."""


@dataclass(frozen=True)
class Peer:
    """Who is at the other end of a connection.

    Attributes:
        pid: 0 when it cannot be seen from here.
        groups: All of them, as numbers.
    """

    pid: int
    uid: int
    groups: frozenset[int]

    @classmethod
    def of(cls, connection: socket.socket) -> "Peer":
        """Ask the kernel.

        Args:
            connection: A Unix socket.
        """
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        pid, uid, gid = _PEER.unpack(raw)
        try:
            told = connection.getsockopt(socket.SOL_SOCKET, _PEER_GROUPS, _MOST_BYTES)
            groups = list(memoryview(told).cast("I"))
        except OSError:  # more of them, or a kernel before 4.13
            groups = _listed_groups(uid, gid)
        return cls(pid, uid, frozenset([gid, *groups]))

    def may_steer(self, owner: int, group: int | None) -> bool:
        """Whether it is the owner, root, or a member of the group.

        Args:
            owner: The user that the agent runs as.
            group: None when only the owner may.
        """
        return self.uid in (owner, 0) or (group is not None and group in self.groups)

    @property
    def name(self) -> str:
        """Of the user, for people."""
        return user_name(self.uid)


def _listed_groups(uid: int, gid: int) -> list[int]:
    """The groups of a user as the machine's list of groups tells them."""
    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        return []


def user_name(uid: int) -> str:
    """The name of a user, or the number when it has none.

    Args:
        uid: Its number.
    """
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def group_number(name: str | None) -> int | None:
    """The number of the control group.

    Args:
        name: From `agent.control_group`.

    Returns:
        None when there is none.

    Raises:
        ConfigError: This machine does not know it, or this user may not give it anything.
    """
    if name is None:
        return None
    key = f"agent.control_group: found `{name}`"
    try:
        number = grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigError(
            f"E-CONF-03  {key}, expected a group of this machine", hint=f"Make it: groupadd {name}"
        ) from None
    if os.geteuid() != 0 and number not in {os.getegid(), *os.getgroups()}:
        user = user_name(os.geteuid())
        raise ConfigError(
            f"E-CONF-03  {key}, expected a group that `{user}` is a member of: only to such a one "
            "may it give its state folder",
            hint=f"Add it: usermod -aG {name} {user}; then start the agent in a new session. In a "
            f"systemd unit: SupplementaryGroups={name}",
        )
    return number


def open_folder(folder: Path, group: int) -> None:
    """Let members of the group pass through a state folder.

    What lies in it is closed first, whoever put it there.

    Args:
        folder: Of this agent.
        group: From `group_number`.

    Raises:
        StoreError: Modes cannot be changed.
    """
    try:
        for entry in folder.iterdir():
            mode = entry.lstat().st_mode
            if mode & 0o077 and (S_ISDIR(mode) or S_ISREG(mode)):
                entry.chmod(mode & 0o700)
        os.chown(folder, -1, group)
        folder.chmod(GROUP_MODE)
    except OSError as error:
        raise StoreError(
            f"{error.filename or folder}: cannot be closed to others before members of the "
            f"control group may pass: {error.strerror}",
            hint="Everything in the state folder must belong to the agent's user.",
        ) from error
