"""Which files are the user's own: those of the hooks' folder, less what was installed there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

INSTALLED = {"site-packages", "dist-packages"}


class OwnFiles:
    """Files below the given folders that belong to no installed package."""

    def __init__(self, folders: Sequence[str]) -> None:
        """Name the folders.

        Args:
            folders: Absolute: where the hooks' file lies, and the working folder.
        """
        self._folders = tuple({os.path.join(folder, "") for folder in folders})
        self._library = str(Path(os.__file__).parent)
        self._modules: list[tuple[str, int]] = []
        self._imported: list[str] = []

    def holds(self, file: str) -> bool:
        """Whether a file is the user's own.

        Args:
            file: As in `__file__` or a traceback.
        """
        if not file.startswith(self._folders) or file.startswith(self._library):
            return False
        return not INSTALLED.intersection(file.split(os.sep))

    def imported(self) -> list[str]:
        """The user's own files among the imported modules, in order of their names."""
        # Asked after each step: a look at hundreds of modules took longer than a small hook does.
        loaded = dict(sys.modules)
        modules = [(name, id(module)) for name, module in loaded.items()]
        if modules != self._modules:
            files = [getattr(module, "__file__", None) for module in loaded.values()]
            own = {file for file in files if isinstance(file, str) and self.holds(file)}
            self._modules, self._imported = modules, sorted(own)
        return list(self._imported)
