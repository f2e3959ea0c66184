"""The interpreter that `init --python` names, tried before it is written down."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from alectio_agent.core.errors import HookLoadError

OLDEST = (3, 9)
LONGEST_S = 30.0
KEY = "E-HOOK-02  --python"


def find_python(named: str) -> Path:
    """Find an interpreter and see that it can run hooks.

    Args:
        named: Path of an interpreter, folder of an environment, or the name of a command.

    Returns:
        Its absolute path. A link is kept as it is: it is what makes a virtual environment.

    Raises:
        HookLoadError: It is not there, does not run, or is too old.
    """
    path = _locate(named)
    found = _version(path)
    if found < OLDEST:
        version = ".".join(map(str, found))
        raise HookLoadError(f"{KEY}: {path} is Python {version}; hooks need 3.9 or newer")
    return path


def _locate(named: str) -> Path:
    command = shutil.which(named) if named and "/" not in named else None
    path = Path(named).expanduser()
    if path.is_dir():
        inside = path / "bin" / "python"
        if not inside.is_file():
            raise HookLoadError(f"{KEY}: {path} holds no bin/python; expected an environment")
        return inside.absolute()
    if path.is_file() or command is None:
        if not path.is_file():
            raise HookLoadError(f"{KEY}: {named or 'nothing'}: no such interpreter")
        return Path(os.path.normpath(path.absolute()))
    return Path(command).absolute()


def _version(path: Path) -> tuple[int, int]:
    probe = "import sys, json; print(json.dumps(list(sys.version_info[:2])))"
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the user named
            [str(path), "-c", probe],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST_S,
            check=True,
        )
        major, minor = json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        told = f": {said[0][:200]}" if said else ""
        raise HookLoadError(f"{KEY}: {path} is no Python that runs{told}") from error
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise HookLoadError(f"{KEY}: {path} is no Python that runs: {error}") from error
    return int(major), int(minor)
