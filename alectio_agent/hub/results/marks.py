"""What the files of an experiment were made from, kept beside them in a hidden file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alectio_agent.hub.results.files import write_text
from alectio_agent.wire.results_files import OUTPUTS, SMALL_FILES

MARK_FILE = ".made.json"


@dataclass(frozen=True)
class Kept:
    """The outputs of one loop.

    Attributes:
        source: Digest of what they were made from.
        file: Its name; empty when it could not be made.
        problem: Why it could not be made, or what it goes without.
        is_there: Whether the file is there as far as it could be made.
    """

    source: str = ""
    file: str = ""
    problem: str = ""
    is_there: bool = True


@dataclass
class Mark:
    """What was made.

    Attributes:
        program: Version of the program that made the files.
        version: Of the experiment in the tables.
        report: Experiment to version: those that the report tells of.
        outputs: Loop to what there is of it.
    """

    program: str = ""
    version: int = -1
    report: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, Kept] = field(default_factory=dict)

    def has_data(self, program: str, version: int) -> bool:
        """Whether all but the report was made from what is so now.

        Args:
            program: Version of the program now.
            version: Of the experiment.
        """
        return self.program == program and self.version == version

    def is_current(self, folder: Path, program: str, name: str, versions: dict[str, int]) -> bool:
        """Whether the files are those that would be made now.

        Args:
            folder: Of the experiment's files.
            program: Version of the program now.
            name: Of the experiment.
            versions: Those of the experiment and its control.
        """
        return (
            self.has_data(program, versions[name])
            and self.report == versions
            and all((folder / file).is_file() for file in SMALL_FILES)
            and all(kept.is_there for kept in self.outputs.values())
        )


def read_mark(folder: Path) -> Mark:
    """Read what the files of a folder were made from.

    Args:
        folder: Need not exist.

    Returns:
        A mark that nothing agrees with when there is none, or it is damaged.
    """
    try:
        told: dict[str, Any] = json.loads((folder / MARK_FILE).read_bytes())
        outputs = {loop: _kept(folder, said) for loop, said in told["outputs"].items()}
        return Mark(str(told["program"]), int(told["version"]), dict(told["report"]), outputs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Mark()


def write_mark(folder: Path, mark: Mark) -> None:
    """Keep what the files of a folder were made from.

    Args:
        folder: Of the experiment's files.
        mark: What to keep.

    Raises:
        OSError: The disk refuses.
    """
    told = asdict(mark)
    for kept in told["outputs"].values():
        del kept["is_there"]
    write_text(folder / MARK_FILE, json.dumps(told, sort_keys=True) + "\n")


def _kept(folder: Path, said: dict[str, str]) -> Kept:
    file = str(said["file"])
    is_there = not file or (folder / OUTPUTS / file).is_file()
    return Kept(str(said["source"]), file, str(said["problem"]), is_there)
