"""What the options of `service install` add to a unit: lines of one drop-in."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.cli.units.texts import HEAD, Unit
from alectio_agent.core.errors import UsageError
from alectio_agent.core.log import printable
from alectio_agent.core.service_unit import hidden_root

USER_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}")
_PATH_PATTERN = re.compile(r"[\w./@+,=~ -]+")
"""What means nothing else in a unit file."""


@dataclass(frozen=True)
class Wishes:
    """The options.

    Attributes:
        gpu: Hooks see NVIDIA's devices.
        run_as: A user of this machine; None for the unit's own.
        read: Paths in homes and /tmp that are shown.
        write: Paths that hooks may write to.
        hooks_may_listen: Hooks may open ports.
    """

    gpu: bool = False
    run_as: str | None = None
    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    hooks_may_listen: bool = False

    def check(self, unit: Unit) -> None:
        """Refuse what cannot be written into a unit.

        Args:
            unit: It is for.

        Raises:
            UsageError: An option that makes no sense there, a name or a path that cannot be used.
        """
        if unit.is_hub and (self.gpu or self.hooks_may_listen):
            raise UsageError("--gpu and --hooks-may-listen are for agents: a hub runs no hooks")
        if self.run_as is not None and not USER_PATTERN.fullmatch(self.run_as):
            raise UsageError(
                f"--run-as: found {printable(self.run_as)}, expected the name of a user",
                code="E-SVC-02",
            )
        for option, path in self._paths():
            _check_path(option, path)

    def lines(self) -> list[str]:
        """The lines of section `[Service]`; empty without any wish."""
        lines = []
        if self.gpu:
            # A pattern takes in what newer drivers call their devices.
            lines += ["PrivateDevices=no", "DeviceAllow=char-nvidia* rw"]
        if self.run_as is not None:
            lines.append(f"User={self.run_as}")
        lines += [f"BindReadOnlyPaths={unit_word(path)}" for path in self.read]
        lines += [f"{_writable(path)}={unit_word(path)}" for path in self.write]
        if self.hooks_may_listen:
            lines.append("SocketBindDeny=")
        return lines

    def text(self, unit: Unit) -> str:
        """The drop-in; empty without any wish.

        Args:
            unit: It belongs to.
        """
        lines = self.lines()
        if not lines:
            return ""
        return "\n".join([HEAD.format(name=unit.name) + "[Service]", *lines, ""])

    def shows(self, path: Path) -> bool:
        """Whether a path can be seen by the service.

        Args:
            path: Absolute.
        """
        shown = (*self.read, *self.write)
        return hidden_root(path) is None or any(
            each == path or each in path.parents for each in shown
        )

    def _paths(self) -> list[tuple[str, Path]]:
        return [("--read", path) for path in self.read] + [("--write", path) for path in self.write]


def unit_word(path: Path | str) -> str:
    """A path as one word of a unit file.

    Args:
        path: Without characters that mean something there, but for spaces.
    """
    return f'"{path}"' if " " in str(path) else str(path)


def can_be_written(path: Path | str) -> bool:
    """Whether a path holds nothing that means something else in a unit file.

    Args:
        path: Any.
    """
    return _PATH_PATTERN.fullmatch(str(path)) is not None


def _writable(path: Path) -> str:
    """In a folder that is emptied nothing can be made writable: it has to be shown first."""
    return "ReadWritePaths" if hidden_root(path) is None else "BindPaths"


def _check_path(option: str, path: Path) -> None:
    expected = "expected an absolute path of letters, digits and ./_-@+,=~"
    if not path.is_absolute() or not can_be_written(path) or ".." in path.parts:
        raise UsageError(f"{option}: found {printable(path)}, {expected}", code="E-SVC-02")
    if path == Path(os.sep):
        raise UsageError(
            f"{option}: found /, expected a folder of it: the unit is there to hide the rest",
            code="E-SVC-02",
        )
