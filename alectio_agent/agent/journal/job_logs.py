"""The files with what the hooks print: one per job and attempt."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FOLDER = "logs"
_NAME = re.compile(r"(?P<experiment>.+)-(?P<loop>\d+)-a(?P<attempt>\d+)\.log")


@dataclass(frozen=True, order=True)
class JobLog:
    """One of the files; sorted by experiment, loop and attempt."""

    experiment: str
    loop: int
    attempt: int

    @classmethod
    def of(cls, file_name: str) -> Self | None:
        """Read a file's name.

        Args:
            file_name: Without folder.

        Returns:
            None for a file of another kind.
        """
        found = _NAME.fullmatch(file_name)
        if found is None:
            return None
        log = cls(found["experiment"], int(found["loop"]), int(found["attempt"]))
        return log if log.file_name == file_name else None  # `07` is not how we write 7

    @property
    def file_name(self) -> str:
        """Its name, without folder."""
        return f"{self.experiment}-{self.loop}-a{self.attempt}.log"

    @property
    def job(self) -> str:
        """`experiment/loop`."""
        return f"{self.experiment}/{self.loop}"


def job_logs(folder: Path) -> list[JobLog]:
    """All files of a folder.

    Args:
        folder: `<state_dir>/logs`; need not exist.

    Returns:
        Sorted.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(log for log in map(JobLog.of, names) if log is not None)
