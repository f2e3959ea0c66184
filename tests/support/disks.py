"""A disk in memory that forgets, at a power cut, whatever was not synced."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.core.errors import StoreFullError


class MemoryDisk:
    """Implements `agent.journal.disk.Disk`; `cut_power()` brings back the synced state."""

    def __init__(self) -> None:
        self._files: dict[Path, bytes] = {}
        self._folders: set[Path] = set()
        self._unnamed: set[Path] = set()
        self._durable: dict[Path, bytes] = {}
        self._unremoved: dict[Path, dict[Path, bytes]] = {}
        self.synced_trees: list[Path] = []
        self.is_full = False
        self.room_bytes = 2**40

    def make_folder(self, folder: Path, *, is_synced: bool = True) -> None:
        self._folders.update([folder, *folder.parents])
        if not is_synced:
            self._unnamed.add(folder)

    def sync_folder(self, folder: Path) -> None:
        self._unnamed = {made for made in self._unnamed if made.parent != folder}
        for path in [path for path in self._unremoved if path.parent == folder]:
            del self._unremoved[path]

    def write(self, file: Path, content: bytes) -> None:
        if self.is_full:
            raise StoreFullError(f"{file}: No space left on device")
        self.write_unsynced(file, content)
        self._durable[file] = content

    def write_unsynced(self, file: Path, content: bytes) -> None:
        """As a program that forgets to sync would."""
        self.make_folder(file.parent)
        self._files[file] = content

    def read(self, file: Path) -> bytes | None:
        return self._files.get(file)

    def folders(self, folder: Path) -> list[Path]:
        return sorted(found for found in self._folders if found.parent == folder != found)

    def move(self, path: Path, target: Path) -> None:
        def moved(found: Path) -> Path:
            is_below = path == found or path in found.parents
            return target / found.relative_to(path) if is_below else found

        self._files = {moved(file): content for file, content in self._files.items()}
        self._durable = {moved(file): content for file, content in self._durable.items()}
        self._folders = {moved(folder) for folder in self._folders}
        self._unnamed = {moved(folder) for folder in self._unnamed} - {target}

    def remove(self, path: Path) -> None:
        def is_kept(found: Path) -> bool:
            return path != found and path not in found.parents

        self._files = {file: content for file, content in self._files.items() if is_kept(file)}
        gone = {file: text for file, text in self._durable.items() if not is_kept(file)}
        for below in [known for known in self._unremoved if path in known.parents]:
            gone |= self._unremoved.pop(below)  # it comes back with its folder, or not at all
        if gone:
            self._unremoved[path] = gone
        self._durable = {file: content for file, content in self._durable.items() if is_kept(file)}
        self._folders = {folder for folder in self._folders if is_kept(folder)}

    def sync_tree(self, folder: Path) -> None:
        self.synced_trees.append(folder)
        for file, content in self._files.items():
            if folder in file.parents:
                self._durable[file] = content

    def size_of(self, folder: Path) -> int:
        return sum(len(content) for file, content in self._files.items() if file.parent == folder)

    def free_bytes(self, folder: Path) -> int | None:
        return self.room_bytes - sum(map(len, self._files.values()))

    def cut_power(self) -> None:
        """Forget what was not synced."""
        for gone in self._unremoved.values():
            self._durable = {**gone, **self._durable}
            self._folders.update(*(file.parents for file in gone))
        for folder in self._unnamed:
            self.remove(folder)
        self._unnamed.clear()
        self._unremoved.clear()
        self._files = dict(self._durable)


def folders_that_are_synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Real folders that are made durable from here on, in order."""
    synced, fsync = list[Path](), os.fsync

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_dir():
            synced.append(path)
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", note)
    return synced


def durable_steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What makes real files durable from here on, in order: names that are synced or renamed."""
    steps, fsync, replace = list[tuple[str, str]](), os.fsync, os.replace

    def note_sync(descriptor: int) -> None:
        steps.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def note_rename(source: str, target: Path) -> None:
        steps.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr("os.fsync", note_sync)
    monkeypatch.setattr("os.replace", note_rename)
    return steps


@contextmanager
def refusing(journal: Journal) -> Iterator[None]:
    """A journal whose disk takes nothing, as SQLite itself says it."""
    journal._database.query("PRAGMA query_only=1")
    try:
        yield
    finally:
        journal._database.query("PRAGMA query_only=0")


@contextmanager
def without_room(journal: Journal) -> Iterator[None]:
    """A journal that has no room for a further page."""
    pages = journal._database.query("PRAGMA page_count")[0][0]
    journal._database.query(f"PRAGMA max_page_count={pages}")
    try:
        yield
    finally:
        journal._database.query("PRAGMA max_page_count=1073741823")
