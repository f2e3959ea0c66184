"""What a train run was made of: the code of the hooks, their interpreter, their arguments."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any

from alectio_agent.agent.hooks.edited_files import EditedFiles
from alectio_agent.agent.hooks.git_state import GitState
from alectio_agent.agent.hooks.source_files import find_sources
from alectio_agent.config.pipeline import PipelineSettings

MOST_BYTES = 2**20
"""A larger `.py` file was not written by hand."""

AskGit = Callable[[Path, Collection[str]], GitState | None]


@dataclass(frozen=True)
class Code:
    """The user's source files as a train run found them.

    Attributes:
        digest: SHA-256 over names and contents.
        files: SHA-256 in hexadecimal digits, by path relative to the hooks' folder.
        is_whole: Whether every folder was looked at.
        git: None without.
    """

    digest: str
    files: dict[str, str]
    is_whole: bool
    git: GitState | None


@dataclass(frozen=True)
class Provenance:
    """What a train run was made of.

    Attributes:
        python: Path of the interpreter.
        interpreter: What it said: `version`, `implementation`, `packages`.
        args: As the hook got them, as plain JSON.
    """

    code: Code
    python: Path
    interpreter: dict[str, Any] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)


class CodeReader:
    """Reads the code of one hook process; a file is read again only when it changed."""

    def __init__(self, pipeline: PipelineSettings, read: EditedFiles, ask: AskGit) -> None:
        """Name what to look at.

        Args:
            pipeline: Whose hooks the process loads.
            read: Knows what the process has read.
            ask: Asks git about a folder and the source files in it.
        """
        hooks = pipeline.hooks
        self._root = hooks.parent if isinstance(hooks, Path) else pipeline.cwd
        self._skipped = [pipeline.checkpoints.dir]
        self._read = read
        self._ask = ask
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}
        self._last: Code | None = None

    def look(self, imported: Iterable[Path]) -> Code:
        """The code as it is now; of files that the process has read, as it was then.

        Args:
            imported: The user's own files that it imported while loading, wherever they lie.
        """
        found, is_whole = find_sources(self._root, self._skipped)
        digests = {self._name(file): self._digest(file) for file in (*imported, *found)}
        files = {name: digests[name] for name in sorted(digests) if digests[name]}
        if self._last is None or (files, is_whole) != (self._last.files, self._last.is_whole):
            text = "".join(f"{digest}  {name}\n" for name, digest in files.items())
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._last = Code(digest, files, is_whole, self._ask(self._root, files))
        return self._last

    def _digest(self, file: Path) -> str:
        """SHA-256 of a file; empty when it is gone, too large, or no file."""
        if read := self._read.digest(file):
            return read.hex()
        try:
            found = file.stat()
            now = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            known = self._known.get(file)
            if known is None or known[0] != now:
                # A pipe or device may have the name of a source file; reading it may never end.
                is_source = S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES
                digest = hashlib.sha256(file.read_bytes()).hexdigest() if is_source else ""
                known = self._known[file] = (now, digest)
        except OSError:
            return ""
        return known[1]

    def _name(self, file: Path) -> str:
        inside = f"{self._root}{os.sep}"
        # `relpath` takes longer than all the rest, and is asked for each file at each train.
        is_inside = str(file).startswith(inside)
        name = str(file)[len(inside) :] if is_inside else os.path.relpath(file, self._root)
        return os.fsencode(name).decode("utf-8", "backslashreplace")
