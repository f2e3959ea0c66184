"""Writes the units that packagers take: `python -m alectio_agent.cli.units packaging/systemd`."""

import sys
from pathlib import Path

from alectio_agent.cli.units.texts import NAMES, Unit


def write_units(folder: Path) -> None:
    """Write all units, as they are for a command in /usr/bin.

    Args:
        folder: Made when it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        unit = Unit(name)
        (folder / unit.file_name).write_text(unit.text(), encoding="utf-8")


if __name__ == "__main__":
    write_units(Path(sys.argv[1]))
