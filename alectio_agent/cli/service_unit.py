"""Reads the installed systemd unit of an agent, as far as its sandbox is concerned."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from alectio_agent.config.lookup import VARIABLE

UNIT = "alectio-agent.service"
FOLDERS = tuple(
    Path(folder)
    for folder in ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                   "/usr/lib/systemd/system", "/lib/systemd/system")
)  # fmt: skip
SYSTEM_CONFIG = Path("/etc/alectio-agent/agent.yaml")
SANDBOX = re.compile(
    r"Protect\w+|Private\w+|Restrict\w+|\w+Paths|TemporaryFileSystem|Root\w+|Device(Policy|Allow)|"
    r"CapabilityBoundingSet|AmbientCapabilities|NoNewPrivileges|SecureBits|SystemCall\w+|"
    r"MemoryDenyWriteExecute|LockPersonality|SocketBind\w+|IPAddress\w+|ProcSubset|KeyringMode|"
    r"User|Group|SupplementaryGroups|DynamicUser|UMask|(State|Cache)Directory(Mode)?|"
    r"Environment|EnvironmentFile|PassEnvironment|UnsetEnvironment|LoadCredential\w*|"
    r"SetCredential\w*|Limit[A-Z]+|Memory(Max|High)|TasksMax|WorkingDirectory|AppArmorProfile|"
    r"SELinuxContext"
)
"""What bounds a process. What starts, watches and ends it is left out, and so is RuntimeDirectory:
it is removed when the look is over, and the agent at work may have the same."""
SPECIFIERS = {
    "%n": UNIT, "%N": "alectio-agent", "%p": "alectio-agent", "%S": "/var/lib", "%C": "/var/cache",
    "%L": "/var/log", "%E": "/etc", "%t": "/run", "%%": "%",
}  # fmt: skip
"""A transient unit takes values as they are."""


@dataclass(frozen=True)
class ServiceUnit:
    """The unit that runs an agent.

    Attributes:
        file: Where it lies.
        properties: `Key=value` of its section `Service` that bound a process, drop-ins included.
        command: `ExecStart`, in words.
    """

    file: Path
    properties: tuple[str, ...]
    command: tuple[str, ...]

    @classmethod
    def find(cls, folders: Sequence[Path] = FOLDERS) -> Self | None:
        """Read the unit, if it is installed.

        Args:
            folders: The first that has the unit wins, as in systemd.
        """
        file = next((folder / UNIT for folder in folders if (folder / UNIT).is_file()), None)
        if file is None:
            return None
        try:
            lines = [line for each in (file, *_drop_ins(folders)) for line in _service(each)]
        except (OSError, ValueError):
            return None
        kept: list[tuple[str, str]] = []
        for key, value in lines:
            if not value:  # an empty value takes back all before it
                kept = [(other, said) for other, said in kept if other != key]
            else:
                kept.append((key, value))
        command = next((value for key, value in reversed(kept) if key == "ExecStart"), "")
        bounds = [(key, _expanded(value)) for key, value in kept if SANDBOX.fullmatch(key)]
        properties = [f"{key}={value}" for key, value in bounds if value is not None]
        return cls(file, tuple(properties), tuple(shlex.split(command.lstrip("@-:+!"))))

    def runs(self, config: Path) -> bool:
        """Whether this unit runs the agent of a configuration.

        Args:
            config: Its agent.yaml.
        """
        named = _named_config(self.command, self.properties) or SYSTEM_CONFIG
        return os.path.realpath(named) == os.path.realpath(config)

    @property
    def user(self) -> str:
        """Whom it runs as; empty for root."""
        return next(reversed(self._values("User")), "")

    def may_write(self, folder: Path) -> bool:
        """Whether its sandbox lets it write to a folder, whatever the folder's rights.

        Args:
            folder: Absolute.
        """
        if "ProtectSystem=strict" not in self.properties:
            return True
        granted = [Path("/var/lib", name) for name in self._values("StateDirectory")]
        granted += [Path("/var/cache", name) for name in self._values("CacheDirectory")]
        for value in (*self._values("ReadWritePaths"), *self._values("BindPaths")):
            granted.append(Path(value.lstrip("-+").partition(":")[0]))
        return any(one == folder or one in folder.parents for one in granted)

    def _values(self, key: str) -> list[str]:
        """The words of all lines of a key."""
        said = (each.partition("=")[2] for each in self.properties if each.startswith(f"{key}="))
        return [word for value in said for word in shlex.split(value)]

    def run_within(self, command: Sequence[str]) -> list[str]:
        """The words that run a command once, in a sandbox as this unit's.

        Args:
            command: To run; its output comes through.
        """
        bounds = [f"--property={each}" for each in self.properties]
        return ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", *bounds, "--", *command]


def _drop_ins(folders: Sequence[Path]) -> list[Path]:
    """Sorted by name; of two with one name that in the earlier folder counts."""
    found: dict[str, Path] = {}
    for folder in reversed(folders):
        found |= {file.name: file for file in (folder / f"{UNIT}.d").glob("*.conf")}
    return [found[name] for name in sorted(found)]


def _service(file: Path) -> list[tuple[str, str]]:
    section, found = "", []
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            found.append((key.strip(), value.strip()))
    return found


def _expanded(value: str) -> str | None:
    """The value without specifiers; None when it has one that only systemd could fill in."""
    parts = re.split(r"(%.)", value)
    if any(part.startswith("%") and part not in SPECIFIERS for part in parts):
        return None
    return "".join(SPECIFIERS.get(part, part) for part in parts)


def _named_config(command: Sequence[str], properties: Sequence[str]) -> str:
    for position, word in enumerate(command):
        if word in ("-c", "--config") and position + 1 < len(command):
            return command[position + 1]
        if word.startswith("--config="):
            return word.removeprefix("--config=")
    for each in properties:
        key, _, value = each.partition("=")
        if key == "Environment":
            for setting in shlex.split(value):
                if setting.startswith(f"{VARIABLE}="):
                    return setting.partition("=")[2]
    return ""
