"""What is found out about a pipeline's hooks without a job."""

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path


@dataclass(frozen=True)
class HookInspection:
    """The hooks of a pipeline, loaded once.

    Attributes:
        forms: `payload` or `keywords`, by hook.
        state_file: A JSON string per line, the record name of each index; None without `state`.
        state_size: Number of names.
        state_digest: SHA-256 over the lines.
    """

    forms: dict[str, str]
    state_file: Path | None = None
    state_size: int | None = None
    state_digest: str | None = None


def prefix_digest(file: Path, count: int) -> str:
    """The digest of the first names of a pool.

    Args:
        file: As `HookInspection.state_file`.
        count: Number of names, from index 0 on; all of them when the file has fewer.

    Returns:
        SHA-256 in hexadecimal digits.
    """
    digest = hashlib.sha256()
    with file.open("rb") as lines:
        for line in islice(lines, count):
            digest.update(line)
    return digest.hexdigest()
