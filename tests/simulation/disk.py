"""A machine's disk: real files, and beside them what a power cut would leave of them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.simulation.faults import Faults

FOLDER = None


class SimDisk:
    """Implements `agent.journal.disk.Disk`.

    The real files are what the machine sees. `_durable` is what is on the platter by name;
    `_content` is content that was synced, whether or not its name was. At a power cut each change
    that was not synced is kept or lost by itself, and content that was not synced may be torn.
    """

    def __init__(self, root: Path, faults: Faults, point: Callable[[str], None]) -> None:
        self.root = root
        root.mkdir(parents=True)
        self._faults = faults
        self._point = point
        """Called at each durable step: the process may die there."""
        self._durable: dict[Path, bytes | None] = {}
        self._content: dict[Path, bytes] = {}

    def make_folder(self, folder: Path, *, is_synced: bool = True) -> None:
        self._point("disk")
        if not folder.parent.is_dir():
            self.make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        if is_synced:
            self.sync_folder(folder.parent)

    def sync_folder(self, folder: Path) -> None:
        self._point("disk")
        self.sync_names(folder)

    def write(self, file: Path, content: bytes) -> None:
        self._point("disk")
        temporary = file.with_name(f".{file.name}.tmp")
        temporary.write_bytes(content)
        self._point("disk")
        self._sync_content(temporary)
        self._point("disk")
        temporary.replace(file)
        self._content[file] = self._content.pop(temporary)
        self._point("disk")
        self.sync_names(file.parent)

    def read(self, file: Path) -> bytes | None:
        return file.read_bytes() if file.exists() else None

    def folders(self, folder: Path) -> list[Path]:
        return sorted(path for path in folder.iterdir() if path.is_dir())

    def remove(self, path: Path) -> None:
        self._point("disk")
        gone = [known for known in self._content if known == path or path in known.parents]
        for known in gone:
            del self._content[known]
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def sync_tree(self, folder: Path) -> None:
        self._point("disk")
        for inside, folders, files in os.walk(folder, topdown=False):
            for name in files:
                self._sync_content(Path(inside, name))
            self.sync_names(Path(inside))
            del folders
        self.sync_names(folder.parent)
        self.sync_names(folder.parent.parent)

    def put(self, file: Path, content: bytes, *, is_synced: bool) -> None:
        """As a hook process writes: its own sync says nothing of the name."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self._content.pop(file, None)
        if is_synced:
            self._sync_content(file)

    def cut_power(self) -> None:
        """Leave what was synced, and of the rest whatever the moment left."""
        self._cut(self.root)
        self._content = {path: kept for path, kept in self._content.items() if path.exists()}
        self._durable = {}
        for inside, folders, files in os.walk(self.root):
            for name in folders:
                self._durable[Path(inside, name)] = FOLDER
            for name in files:
                path = Path(inside, name)
                self._durable[path] = self._content[path] = path.read_bytes()

    def _cut(self, folder: Path) -> None:
        seen = {path.name for path in folder.iterdir()}
        kept = {path.name for path in self._durable if path.parent == folder}
        for name in sorted(seen | kept):
            path = folder / name
            if name not in kept:
                if self._faults.rng.random() < 0.5:
                    _remove(path)
                    continue
            elif name not in seen:
                if self._faults.rng.random() < 0.5:
                    self._bring_back(path)
                continue
            if path.is_dir():
                self._cut(path)
            else:
                path.write_bytes(self._left_of(path))

    def _left_of(self, file: Path) -> bytes:
        """What is in a file whose name survived."""
        now, rng = file.read_bytes(), self._faults.rng
        before = self._durable.get(file)
        if now == before:
            return now
        if self._content.get(file) == now:
            # Renamed over the older one: one of the two, whole.
            return now if before is None or rng.random() < 0.5 else before
        whole = now if before is None or rng.random() < 0.5 else before
        return rng.choice((whole, whole[: rng.randint(0, len(whole))], b""))

    def _bring_back(self, path: Path) -> None:
        content = self._durable[path]
        if content is not FOLDER:
            path.write_bytes(content)
            return
        path.mkdir()
        for below in [found for found in self._durable if found.parent == path]:
            self._bring_back(below)

    def _sync_content(self, file: Path) -> None:
        content = file.read_bytes()
        self._content[file] = content
        if file in self._durable:
            self._durable[file] = content

    def sync_names(self, folder: Path) -> None:
        """Make the names in a folder durable; nobody dies here."""
        if not folder.is_dir():
            return
        there = sorted(folder.iterdir())
        for gone in [path for path in self._durable if path.parent == folder and path not in there]:
            for below in [path for path in self._durable if path == gone or gone in path.parents]:
                del self._durable[below]
        for path in there:
            if path.is_dir():
                self._durable.setdefault(path, FOLDER)
            else:
                # A name without synced content: the file is there, and perhaps empty.
                self._durable[path] = self._content.get(path, self._durable.get(path) or b"")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
