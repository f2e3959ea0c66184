"""Where a hub's files lie, as the process that makes results files is told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Folders of a hub.

    Attributes:
        parts: Part files, one folder per job.
        names: Record names, one file per digest.
        results: Results files, one folder per experiment.
    """

    parts: Path
    names: Path
    results: Path

    @property
    def arguments(self) -> tuple[Path, Path, Path]:
        """In the order of the attributes, for a command line."""
        return self.parts, self.names, self.results
