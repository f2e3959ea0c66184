"""Which files `service install` writes, and what they hold."""

import sysconfig
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.cli.units.texts import DEFAULT_COMMAND, Unit
from alectio_agent.cli.units.wishes import Wishes, can_be_written, unit_word
from alectio_agent.core.errors import UsageError
from alectio_agent.core.log import printable

UNIT_FOLDER = Path("etc/systemd/system")
PACKAGE_FOLDERS = (Path("usr/lib/systemd/system"), Path("lib/systemd/system"))
"""Where packages of the distribution put their units."""
DROP_IN = "10-service-install.conf"


@dataclass(frozen=True)
class Plan:
    """A unit with its drop-in.

    Attributes:
        root: The root folder of the machine or image.
        command: What starts the unit.
    """

    unit: Unit
    wishes: Wishes
    root: Path = Path("/")
    command: str = DEFAULT_COMMAND

    @property
    def unit_file(self) -> Path:
        """Where the unit goes, below the root."""
        return UNIT_FOLDER / self.unit.file_name

    @property
    def drop_in(self) -> Path:
        """Where the drop-in goes, below the root."""
        return UNIT_FOLDER / f"{self.unit.file_name}.d" / DROP_IN

    @property
    def packaged(self) -> Path | None:
        """The unit that a package brought, below the root: a second one would hide its upgrades."""
        files = (folder / self.unit.file_name for folder in PACKAGE_FOLDERS)
        return next((file for file in files if (self.root / file).exists()), None)

    @property
    def kept(self) -> str:
        """In words: the package's unit, which is not written; empty when it is ours to write."""
        return "" if self.packaged is None else f"/{self.packaged} stays: it is a package's"

    def files(self) -> dict[Path, str]:
        """What is written, by path below the root.

        Raises:
            UsageError: A wish that cannot be written into a unit.
        """
        self.wishes.check(self.unit)
        found = {} if self.packaged else {self.unit_file: self.unit.text(self.command)}
        if drop_in := self.wishes.text(self.unit):
            found[self.drop_in] = drop_in
        return found

    def shown(self) -> str:
        """All files after another, each under its path, as `systemctl cat` shows them."""
        return "\n".join(f"# /{path}\n{text}" for path, text in self.files().items())


def own_command(folder: Path | None = None, usual: Path = Path(DEFAULT_COMMAND)) -> str:
    """What starts this very installation, as a word of a unit file.

    Args:
        folder: Where its commands lie; that of this process's own Python unless given.
        usual: Where packages put the command. One that leads here is taken: each version of a
            package lies in a folder of its own, which goes with a later upgrade.

    Raises:
        UsageError: Its path cannot be written into a unit.
    """
    installed = (folder or Path(sysconfig.get_path("scripts"))) / "alectio-agent"
    if usual.resolve() == installed.resolve():
        return unit_word(usual)
    if not can_be_written(installed):
        raise UsageError(
            f"{printable(installed)} cannot be written into a unit. Install alectio-agent below "
            "another folder, such as /opt/alectio",
            code="E-SVC-02",
        )
    return unit_word(installed) if installed.exists() else DEFAULT_COMMAND
