"""What git says of a folder: its commit, and whether anything in there differs from it."""

import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

PATIENCE_S = 2.0
"""Git on a slow file server must not hold up a step for longer."""

# The repository's own configuration must not start programs, nor may looking write to it.
_COMMAND = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-optional-locks")
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ".")
_TRACKED = ("ls-files", "-z", "--", "*.py")
_COMMIT = "# branch.oid "


@dataclass(frozen=True)
class GitState:
    """A folder as git knows it.

    Attributes:
        commit: Its id in hexadecimal digits.
        is_dirty: Whether something was changed since, or a source file was never added.
    """

    commit: str
    is_dirty: bool


def ask_git(
    environment: Mapping[str, str], folder: Path, sources: Collection[str]
) -> GitState | None:
    """Ask git about a folder.

    Args:
        environment: Of the agent; `PATH` says where git is.
        folder: Of the hooks.
        sources: Their files, relative to it.

    Returns:
        None without git, a repository or a commit, or when git takes too long.
    """
    git = which("git", path=environment.get("PATH"))
    if git is None:
        return None
    lines = (_run(git, folder, _STATUS, environment) or "").splitlines()
    commit = next((line[len(_COMMIT) :] for line in lines if line.startswith(_COMMIT)), "")
    if not commit or not set(commit) <= set("0123456789abcdef"):
        return None  # `(initial)`
    tracked = _run(git, folder, _TRACKED, environment)
    if tracked is None:
        return None
    is_changed = any(not line.startswith("#") for line in lines)
    inside = {name for name in sources if not name.startswith("../")}
    return GitState(commit, is_changed or not inside <= set(tracked.split("\0")))


def _run(
    git: str, folder: Path, words: tuple[str, ...], environment: Mapping[str, str]
) -> str | None:
    # A hook of git may have started the agent: then these would name another repository.
    clean = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - the git of the agent's own PATH, fixed words
            [git, *_COMMAND, *words],
            cwd=folder,
            env={**clean, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
