"""The machine that a unit is installed on, or the root folder of an image."""

import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

BOOTED = Path("/run/systemd/system")
"""There, where PID 1 is systemd: see sd_booted(3)."""
PATIENCE_S = 60.0

Run = Callable[[Sequence[str]], str]
"""Runs a command; gives what went wrong, or nothing."""


def run_quietly(words: Sequence[str]) -> str:
    """Run a command of the system.

    Args:
        words: Its command line.

    Returns:
        Empty when it ended with 0, else the last line that it said, or its exit code.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the system's own, with names that were checked
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


@dataclass(frozen=True)
class Machine:
    """Where files go, and whether anybody is there to be told.

    Attributes:
        root: The root folder; `/` for this machine.
        is_booted: systemd runs this machine, and the root folder is its own.
        run: Runs commands.
        own: Where this installation lies, and the Python that it was made from.
    """

    root: Path = Path("/")
    is_booted: bool = False
    run: Run = run_quietly
    own: tuple[Path, ...] = (Path(sys.prefix), Path(sys.base_prefix))

    @classmethod
    def at(cls, root: Path | None) -> "Machine":
        """This machine, or an image.

        Args:
            root: Of the image; None for this machine.
        """
        if root is None:
            return cls(is_booted=BOOTED.is_dir())
        return cls(root.absolute())

    @property
    def is_image(self) -> bool:
        """Whether it is not the machine that this process runs on."""
        return self.root != Path("/")

    @property
    def may_write(self) -> bool:
        """Whether this user may install: root, or anybody into a folder of theirs."""
        return self.is_image or os.geteuid() == 0

    def knows_user(self, name: str) -> bool:
        """Whether a user is there; of an image that is not looked up.

        Args:
            name: Of the user.
        """
        try:
            pwd.getpwnam(name)
        except KeyError:
            return False
        return True
