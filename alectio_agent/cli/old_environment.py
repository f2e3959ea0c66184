"""Which environment variables a script and its modules read."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

EVERYWHERE = {"HOME", "PATH", "USER", "LOGNAME", "PWD", "SHELL", "TMPDIR", "LANG", "HOSTNAME"}
"""Every process has its own; today's value must not be frozen in a file."""

READERS = {"os.environ.get", "environ.get", "os.getenv", "getenv", "os.environ.setdefault"}
MAPPINGS = {"os.environ", "environ"}


@dataclass(frozen=True)
class Variable:
    """One variable.

    Attributes:
        place: `file:line` of the first time it is read.
        default: What stands in for it, as written; empty when it is needed.
    """

    name: str
    place: str
    default: str


def variables(trees: Mapping[Path, ast.Module]) -> list[Variable]:
    """Find the variables that are read by a name written out.

    Args:
        trees: By file.

    Returns:
        Each once, in the order in which they are met.
    """
    found: dict[str, Variable] = {}
    for file, tree in trees.items():
        for name, line, default in sorted(_reads(tree), key=lambda read: read[1]):
            if name not in EVERYWHERE:
                found.setdefault(name, Variable(name, f"{file.name}:{line}", default))
    return list(found.values())


def _reads(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            name = _text(node.slice)
            if name and ast.unparse(node.value) in MAPPINGS:
                yield name, node.lineno, ""
        elif isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in READERS:
            name = _text(node.args[0])
            rest = [*node.args[1:], *(word.value for word in node.keywords)]
            if name:
                yield name, node.lineno, ast.unparse(rest[0]) if rest else "None"


def _text(node: ast.expr) -> str:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_text and isinstance(node, ast.Constant) else ""
