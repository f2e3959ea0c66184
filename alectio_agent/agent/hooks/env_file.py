"""Reads `env_file` of a pipeline: `KEY=value` lines that may hold secrets."""

import os
import re
import stat
from pathlib import Path

from alectio_agent.core.errors import HookLoadError

LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
LARGEST_BYTES = 2**20


def read_env_file(file: Path) -> dict[str, str]:
    """The variables of a file.

    Args:
        file: Lines of `KEY=value`; blank lines and lines that start with `#` are passed over;
            quotes around a value are taken off.

    Returns:
        Value by key; a later line wins.

    Raises:
        HookLoadError: It cannot be read, others may read it, or a line is no `KEY=value`.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            _check_mode(file, os.fstat(stream.fileno()))
            lines = stream.read(LARGEST_BYTES).splitlines()
    except OSError as error:
        raise HookLoadError(f"E-HOOK-02  env_file {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HookLoadError(f"E-HOOK-02  env_file {file}: no text in UTF-8") from error
    return dict(
        _read_line(file, number, line.strip())
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.strip().startswith("#")
    )


def _check_mode(file: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise HookLoadError(f"E-HOOK-02  env_file {file}: expected a file of KEY=value lines")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise HookLoadError(
            f"E-HOOK-02  env_file {file} may be read or written by others ({mode:04o}); it may "
            f"hold secrets: chmod 600 {file}"
        )


def _read_line(file: Path, number: int, line: str) -> tuple[str, str]:
    found = LINE.fullmatch(line)
    if found is None or "\0" in line:
        # The line itself is not shown: it may be half of a secret.
        raise HookLoadError(f"E-HOOK-02  env_file {file}:{number}: expected KEY=value")
    value = found[2].strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return found[1], value
