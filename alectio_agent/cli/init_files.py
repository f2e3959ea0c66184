"""Writes the files of a new project: all of them, or none."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alectio_agent.core.errors import UsageError

GAP = "FILL IN"
IGNORE_FILE = ".gitignore"
IGNORED = (".alectio/", "results/", "checkpoints/")
IGNORE_NOTE = f"let it ignore {', '.join(IGNORED)}"


@dataclass(frozen=True)
class Draft:
    """The files of a project, not written yet.

    Attributes:
        files: Text by name.
        notes: What a person may want to know.
        warnings: What a person must know.
        kept: Files that may be there already: they stay, and why that is well is said.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=lambda: {IGNORE_FILE: IGNORE_NOTE})

    def gaps(self) -> list[tuple[str, int, str]]:
        """Lines that hold a guess: file, line, and what is to be filled in."""
        return [
            (name, number, re.sub(rf" +# {GAP}: ", "   ", line.strip().lstrip("# ")))
            for name, text in self.files.items()
            for number, line in enumerate(text.splitlines(), start=1)
            if f"# {GAP}" in line
        ]

    def told(self, folder: Path) -> dict[str, Any]:
        """The same for programs.

        Args:
            folder: Of the project.
        """
        gaps = [{"file": str(folder / f), "line": n, "text": text} for f, n, text in self.gaps()]
        files = [str(folder / name) for name in self.files]
        return {"files": files, "fill_in": gaps, "warnings": list(self.warnings)}


def ignore_text() -> str:
    """The text of `.gitignore`."""
    return "# what alectio-agent writes\n" + "".join(f"{name}\n" for name in IGNORED)


def check_free(folder: Path, draft: Draft) -> Draft:
    """See that nothing would be overwritten.

    Args:
        folder: Of the project.
        draft: Its files.

    Returns:
        The draft, without those files that are there already and may stay.

    Raises:
        UsageError: A file is there, or the folder is none.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file; expected a folder, or none yet")
        taken = [name for name in draft.files if _is_there(folder / name)]
    except OSError as error:
        raise _unusable(folder, error) from error
    kept = [name for name in taken if name in draft.kept]
    if taken != kept:
        raise _taken(folder, [name for name in taken if name not in kept])
    files = {name: text for name, text in draft.files.items() if name not in kept}
    notes = [f"{folder / name} is there already: {draft.kept[name]}" for name in kept]
    return replace(draft, files=files, notes=(*draft.notes, *notes))


def write_all(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder; when one fails, take back what was written.

    Args:
        folder: Made when it is not there.
        files: Text by name; none of them exists.

    Raises:
        UsageError: The folder cannot be written to, or a file has appeared meanwhile.
    """
    made: list[Path] = []
    try:
        for missing in reversed(list(_missing(folder))):
            missing.mkdir()
            made.append(missing)
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                made.append(folder / name)
                file.write(text)
    except BaseException as error:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, FileExistsError):
            raise _taken(folder, [Path(error.filename).name]) from error
        if isinstance(error, OSError):
            raise _unusable(folder, error) from error
        raise


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _missing(folder: Path) -> Iterator[Path]:
    """The folder and those above it that have to be made, the innermost first."""
    for each in (folder, *folder.parents):
        if each.exists():
            return
        yield each


def _taken(folder: Path, names: list[str]) -> UsageError:
    listed = ", ".join(str(folder / name) for name in names)
    plural = "are" if len(names) > 1 else "is"
    return UsageError(
        f"{listed} {plural} there already; nothing was written",
        hint="Name another folder, or move that out of the way.",
        code="E-INIT-01",
    )


def _unusable(folder: Path, error: OSError) -> UsageError:
    reason = error.strerror or type(error).__name__
    return UsageError(
        f"{error.filename or folder}: {reason}; nothing was written", code="E-DISK-01"
    )
