"""Scripts that are part of a package, which their path alone is not enough to import."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Optional


def place_in_package(file: Path) -> Optional[tuple[Path, str]]:
    """Where a file with relative imports is imported from.

    Args:
        file: A Python file; absolute.

    Returns:
        The folder that has to stand in `sys.path`, and the dotted name of the module; None for a
        file without relative imports, which its path is enough for.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # the import itself says it better
    if not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)):
        return None
    root, name = package_root(file)
    is_dotted = len(name.split(".")) == len(file.relative_to(root).parts)
    return (root, name) if is_dotted and file.parent.name else None  # a folder such as v1.2 is none


def package_root(file: Path) -> tuple[Path, str]:
    """The folder that holds the outermost package of a file, and the dotted name of its module.

    Args:
        file: A Python file; absolute.
    """
    folder, words = file.parent.parent, [file.parent.name, file.stem]
    while (folder / "__init__.py").is_file() and folder.name:
        words.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(words)
