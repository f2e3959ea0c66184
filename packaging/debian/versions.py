#!/usr/bin/python3
"""The versions of alectio-agent on this machine, side by side: called by the package's scripts.

    /opt/alectio-agent/package/   what dpkg installed; it replaces these files one by one
    /opt/alectio-agent/0.1.0/     hard links to them, made when the package is configured: what runs
    /opt/alectio-agent/current    names the version that the next start takes

A running agent imports some modules late, and starts hooks from files. So its version stays as it
is, whatever dpkg does, until no process uses it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path("/opt/alectio-agent")
PROCESSES = Path("/proc")
CACHE = "__pycache__"


def take(root: Path) -> None:
    """Make a version from what dpkg installed, compile it, and let the next start take it.

    When the version is there already, only what differs is changed.

    Args:
        root: Holds `package`.
    """
    package = root / "package"
    folder = root / version_of(package)
    for file in files_below(package):
        link(file, folder / file.relative_to(package))
    remove_strangers(package, folder)
    # Some packages bring templates that no Python compiles: that is no failure.
    python = folder / "bin/python3"
    compiling = [python, "-I", "-m", "compileall", "-q", "-q", folder / "lib"]
    subprocess.run(compiling, check=False)  # noqa: S603 - our own folders
    pointer = root / ".current"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(folder.name)
    pointer.replace(root / "current")


def version_of(package: Path) -> str:
    """Which version dpkg installed: the command's first line names its interpreter.

    Args:
        package: What dpkg installed.
    """
    with (package / "bin/alectio-agent").open() as file:
        return Path(file.readline().removeprefix("#!").strip()).parents[1].name


def files_below(folder: Path) -> Iterator[Path]:
    """All files and links, at any depth."""
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (Path(place, name) for name in (*names, *links))


def link(file: Path, other: Path) -> None:
    """Give a file a second name; copy it where the file system refuses that.

    Args:
        file: Installed by dpkg.
        other: Replaced in one go when it is another file.
    """
    if os.path.lexists(other) and os.path.samestat(file.lstat(), other.lstat()):
        return
    other.parent.mkdir(parents=True, exist_ok=True)
    new = other.with_name(f".{other.name}.new")
    new.unlink(missing_ok=True)
    try:
        os.link(file, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(file, new, follow_symlinks=False)
    new.replace(other)


def remove_strangers(package: Path, folder: Path) -> None:
    """Remove what dpkg did not install, such as the hub after its package was removed.

    Args:
        package: What dpkg installed.
        folder: The version made from it.
    """
    for file in list(files_below(folder)):
        source = file.relative_to(folder)
        if source.parent.name == CACHE:
            source = source.parent.parent / f"{source.name.partition('.')[0]}.py"
        if not os.path.lexists(package / source):
            file.unlink()
    for place, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it is not empty
            Path(place).rmdir()


def tidy(root: Path, processes: Path) -> None:
    """Remove versions that nothing runs; say who runs one that is not current.

    Args:
        root: Holds the versions.
        processes: Where the kernel lists processes.
    """
    current = root / "current"
    for folder in old_versions(root):
        if users := processes_of(folder, processes):
            print(told(folder.name, users, current.resolve().name if current.exists() else None))
        else:
            shutil.rmtree(folder)


def old_versions(root: Path) -> list[Path]:
    """All that are not current; a folder of somebody else is none."""
    if not root.is_dir():
        return []
    current = (root / "current").resolve()
    return [
        folder
        for folder in sorted(root.iterdir())
        if (folder / "bin/alectio-agent").is_file() and not folder.is_symlink()
        and folder.name != "package" and folder != current
    ]  # fmt: skip


def processes_of(folder: Path, processes: Path) -> list[int]:
    """Numbers of the processes that run from a folder.

    Args:
        folder: A version.
        processes: Where the kernel lists processes.

    Returns:
        Ascending; [0] when the kernel's list cannot be read: then nobody knows.
    """
    if not (processes / "self/maps").exists():
        return [0]
    mark = os.fsencode(f"{folder}/")
    numbers = (int(entry.name) for entry in processes.iterdir() if entry.name.isdigit())
    return sorted(
        number
        for number in numbers
        if any(mark in content(processes / str(number) / name) for name in ("cmdline", "maps"))
    )


def content(file: Path) -> bytes:
    """What the kernel tells; nothing of a process that has ended."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def told(version: str, users: list[int], current: str | None) -> str:
    """What an administrator should know about a version that is kept."""
    if users == [0]:
        return f"alectio-agent: {version} is kept: without /proc nobody knows whether it runs"
    numbers = ", ".join(map(str, users))
    if current is None:
        return f"alectio-agent: {ROOT}/{version} is kept: process {numbers} runs from it"
    return (
        f"alectio-agent: process {numbers} goes on with version {version}; nothing was stopped.\n"
        f"An agent takes {current} at `alectio-agent restart`, which waits for the running step;\n"
        "a hub at `systemctl restart alectio-hub`."
    )


def forget(root: Path, processes: Path) -> None:
    """Remove all versions that nothing runs, the current one too: the package goes.

    Args:
        root: Holds the versions.
        processes: Where the kernel lists processes.
    """
    (root / "current").unlink(missing_ok=True)
    tidy(root, processes)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["take"]:
            take(ROOT)
            tidy(ROOT, PROCESSES)
        case ["forget"]:
            forget(ROOT, PROCESSES)
        case _:
            sys.exit("usage: versions take | versions forget")
