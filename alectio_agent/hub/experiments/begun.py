"""Files of parts that have begun to arrive: a prefix each, named with the size of the whole."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.wire.names import DIGEST_PATTERN

_NAME = re.compile(rf"(?P<sha256>{DIGEST_PATTERN.strip('^$')})-(?P<total>[0-9]{{1,16}})\.begun")


@dataclass(frozen=True)
class BegunFile:
    """A part that is not whole yet.

    Attributes:
        total: Size of the whole part, in bytes.
        have: Bytes that are there.
    """

    path: Path
    total: int
    have: int


def begun_path(part: Path, total: int) -> Path:
    """Where a part lies until it is whole.

    Args:
        part: Where it will lie then.
        total: Size of the whole part.
    """
    # No dot in front: what is swept when a job closes are all files that no commit names.
    return part.with_name(f"{part.name}-{total}.begun")


def find_begun(part: Path) -> BegunFile | None:
    """What has arrived of a part that is not whole.

    Args:
        part: Where it will lie then; the folder need not exist.

    Returns:
        None when nothing has.
    """
    return all_begun(part.parent, part.name).get(part.name)


def all_begun(folder: Path, digest: str = "") -> dict[str, BegunFile]:
    """All parts in a job's folder that have begun to arrive.

    Args:
        folder: Need not exist.
        digest: Of the only part that is wanted.

    Returns:
        By digest of the whole part.
    """
    found = dict[str, BegunFile]()
    with suppress(FileNotFoundError), os.scandir(folder) as files:
        for file in files:
            if file.name.startswith(digest) and (told := _NAME.fullmatch(file.name)):
                path, total = Path(file.path), int(told["total"])
                found[told["sha256"]] = BegunFile(path, total, _size_of(path))
    return found


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # whole since, or its job closed
        return 0
