"""Files as the journal needs them: what was synced survives a power cut, the rest may not."""

import errno
import fcntl
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from alectio_agent.agent.journal.kept_lock import keep_lock, kept_lock
from alectio_agent.core.disk_errors import FAILING, disk_errors
from alectio_agent.core.durable import settle_folder
from alectio_agent.core.errors import StoreBusyError, StoreError
from alectio_agent.core.free_disk import free_bytes

NO_LOCKS_HINT = (
    "Two agents in one folder would lose results. Put agent.state_dir on a disk of this machine."
)
HELD = (errno.EWOULDBLOCK, errno.EACCES)
BLOCK_BYTES = 512
"""Of `st_blocks`, on every system."""
BUSY_HINT = "Stop that agent first, or give this one another agent.state_dir."


class Disk(Protocol):
    """The file operations of the journal; an implementation may forget what was not synced."""

    def make_folder(self, folder: Path, *, is_synced: bool = True) -> None:
        """Make a folder (0700) with its parents, durably unless `is_synced` is false."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""

    def write(self, file: Path, content: bytes) -> None:
        """Replace a file (0600) whole and durably: temporary file, fsync, rename, fsync."""

    def read(self, file: Path) -> bytes | None:
        """Content of a file, None when there is none; a folder, pipe or socket is an error."""

    def folders(self, folder: Path) -> list[Path]:
        """The folders inside a folder, by name."""

    def move(self, path: Path, target: Path) -> None:
        """Give a file or folder another name in the same folder, durably; nothing has it yet."""

    def remove(self, path: Path) -> None:
        """Remove a file or a whole folder; nothing happens when it is not there."""

    def sync_tree(self, folder: Path) -> None:
        """Make a folder durable, with its name and every file and folder below it."""

    def size_of(self, folder: Path) -> int:
        """Bytes that a folder's files take of the disk."""

    def free_bytes(self, folder: Path) -> int | None:
        """Bytes that may still be written on the disk of a folder; None when that is not known."""


class SystemDisk:
    """The machine's own files."""

    def make_folder(self, folder: Path, *, is_synced: bool = True) -> None:
        """Make a folder; see `Disk`."""
        with disk_errors(folder):
            try:
                folder.mkdir(mode=0o700)
            except FileNotFoundError:
                self.make_folder(folder.parent)
                folder.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError:
                if not folder.is_dir():
                    raise
            if is_synced:
                _sync(folder.parent)

    def sync_folder(self, folder: Path) -> None:
        """Sync a folder; see `Disk`."""
        with disk_errors(folder):
            _sync(folder)

    def write(self, file: Path, content: bytes) -> None:
        """Replace a file; see `Disk`."""
        folder = file.parent
        temporary = f"{folder}/.{file.name}.tmp"
        with disk_errors(file):
            try:
                _write_synced(temporary, content)
            except OSError:
                with suppress(OSError):  # it would take of the little room that there is
                    Path(temporary).unlink()
                raise
            os.replace(temporary, file)  # noqa: PTH105 - a text: made for each result
            _sync(folder)

    def read(self, file: Path) -> bytes | None:
        """Read a file; see `Disk`."""
        with disk_errors(file):
            try:
                # A pipe would be waited for, for ever.
                opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                os.close(opened)
                raise OSError(errno.EINVAL, "found something else, expected a file", str(file))
            with os.fdopen(opened, "rb") as stream:
                return stream.read()

    def folders(self, folder: Path) -> list[Path]:
        """List folders; see `Disk`."""
        with disk_errors(folder):
            return sorted(path for path in folder.iterdir() if path.is_dir())

    def move(self, path: Path, target: Path) -> None:
        """Rename; see `Disk`."""
        with disk_errors(path):
            path.rename(target)
            _sync(path.parent)

    def remove(self, path: Path) -> None:
        """Remove a file or folder; see `Disk`."""
        with disk_errors(path):
            try:
                path.unlink(missing_ok=True)
            except IsADirectoryError:
                shutil.rmtree(path)

    def sync_tree(self, folder: Path) -> None:
        """Sync files first, then the folders that name them; see `Disk`."""
        with disk_errors(folder):
            _sync_below(str(folder))
            settle_folder(folder)

    def size_of(self, folder: Path) -> int:
        """Add up blocks; see `Disk`."""
        with disk_errors(folder), suppress(FileNotFoundError), os.scandir(folder) as listed:
            return sum(_taken(entry) for entry in listed)
        return 0

    def free_bytes(self, folder: Path) -> int | None:
        """Ask the file system; see `Disk`."""
        try:
            return free_bytes(folder)
        except OSError:
            return None


class FolderLock:
    """One agent per state folder."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, or fail at once.

        Args:
            folder: Exists.

        Raises:
            StoreBusyError: Another process holds it; the message names it.
            StoreError: The file system has no locks.
        """
        self._file = folder / "lock"
        with disk_errors(self._file):
            kept = kept_lock(self._file)
            if kept is None:
                kept = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._opened = kept
            try:
                self._take(folder)
                self._name_holder()
            except BaseException:
                os.close(self._opened)
                raise

    def _take(self, folder: Path) -> None:
        try:
            fcntl.flock(self._opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in HELD:
                raise StoreError(
                    f"{self._file}: this file system cannot lock it ({error.strerror})",
                    hint=NO_LOCKS_HINT,
                    code="E-DISK-05",
                ) from error
            named = os.read(self._opened, 32).decode(errors="replace")
            holder = named.partition("\n")[0].strip() or "?"
            raise StoreBusyError(
                f"{folder}: another agent works in this state folder (process {holder})",
                hint=BUSY_HINT,
            ) from error

    def _name_holder(self) -> None:
        """Write who holds it over what stands there: a full disk has room for that."""
        named = f"{os.getpid()}\n".encode()
        os.pwrite(self._opened, named, 0)
        os.truncate(self._opened, len(named))

    def note(self, text: str) -> None:
        """Write a line behind the holder, which stays until the lock is taken again.

        Args:
            text: ASCII.
        """
        with suppress(OSError):  # a full disk: what it would have told is left out
            os.pwrite(self._opened, f"{os.getpid()}\n{text}\n".encode("ascii"), 0)

    def keep(self) -> None:
        """Hold the lock until the program that follows in this process has taken it."""
        keep_lock(self._opened)

    def release(self) -> None:
        """Give the lock back; the file stays."""
        os.close(self._opened)


def is_at_work(folder: Path) -> bool:
    """Whether an agent works in a state folder.

    Args:
        folder: Need not exist; nothing is made in it.

    Returns:
        Whether another process holds the folder's lock.
    """
    try:
        opened = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in HELD
    finally:
        os.close(opened)
    return False


def _taken(entry: os.DirEntry[str]) -> int:
    with suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
    return 0


def _write_synced(file: str, content: bytes) -> None:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(opened, left) :]
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync_below(folder: str) -> None:
    try:
        with os.scandir(folder) as listed:
            entries = list(listed)
    except OSError as error:
        if error.errno in FAILING:
            raise
        return  # what cannot be listed cannot be synced
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            _sync_below(entry.path)
        elif entry.is_file(follow_symlinks=False):
            _sync_of_others(entry.path)
    _sync_of_others(folder)


def _sync_of_others(path: str) -> None:
    """Sync what hooks made; it may be gone by now, and may forbid us to read it."""
    with suppress(FileNotFoundError, PermissionError):
        _sync(path)


def _sync(path: Path | str) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
