"""What a script imports, and which of it lies beside the script; read, never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from alectio_agent.core.errors import UsageError

MOST_FILES = 200


@dataclass(frozen=True)
class Imported:
    """What a name means.

    Attributes:
        module: Dotted.
        attribute: Inside of it; empty for the module itself.
        is_seen: The import stands where an import of the script runs it.
    """

    module: str
    attribute: str
    is_seen: bool


@dataclass(frozen=True)
class Imports:
    """The imports of a script, by the name that they bind."""

    by_name: dict[str, Imported]

    @classmethod
    def of(cls, tree: ast.Module, package: str = "") -> Self:
        """Collect them, wherever they stand.

        Args:
            tree: The script.
            package: That it lies in; dotted.
        """
        found: dict[str, Imported] = {}
        top = set(map(id, top_level(tree)))
        for node in ast.walk(tree):
            is_seen = id(node) in top
            if isinstance(node, ast.Import):
                for entry in node.names:
                    bound = entry.asname or entry.name.partition(".")[0]
                    module = entry.name if entry.asname else bound
                    found[bound] = Imported(module, "", is_seen)
            elif isinstance(node, ast.ImportFrom):
                home = _home(node, package)
                for entry in node.names if home else []:
                    bound = entry.asname or entry.name
                    found[bound] = Imported(home, entry.name, is_seen)
                    if bound == "*":
                        found.setdefault("Pipeline", Imported(home, "Pipeline", is_seen))
        return cls(found)

    def resolve(self, node: ast.expr) -> Imported | None:
        """What a name, or a dotted one, means.

        Args:
            node: Such as `train` or `processes.train`.

        Returns:
            Its module and the name in there; None for what was not imported.
        """
        if isinstance(node, ast.Name):
            return self.by_name.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        base = self.resolve(node.value)
        if base is None:
            return None
        module = f"{base.module}.{base.attribute}" if base.attribute else base.module
        return Imported(module, node.attr, base.is_seen)


def _home(node: ast.ImportFrom, package: str) -> str:
    """The module that is imported from; empty when it lies outside of the package."""
    words = package.split(".")[: 1 - node.level or None] if node.level else []
    if node.level and (not package or not words):
        return ""
    return ".".join([*words, *filter(None, [node.module])])


def parse(file: Path) -> ast.Module:
    """Read a Python file into its tree.

    Args:
        file: Its path.

    Raises:
        UsageError: It cannot be read, or is no Python; with the line.
    """
    try:
        if file.exists() and not file.is_file() and not file.is_dir():
            raise UsageError(f"{file} is no regular file", code="E-INIT-02")  # a pipe never ends
        return ast.parse(file.read_bytes(), str(file))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{file} cannot be read: {reason}", code="E-INIT-02") from error
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        said = f"{file}{line} is no Python: {error.msg}"
        raise UsageError(said, code="E-INIT-02") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{file} is no Python: {error}", code="E-INIT-02") from error


def with_local_modules(file: Path, tree: ast.Module) -> dict[Path, ast.Module]:
    """A script and the modules beside it that it imports, and those that they import.

    Args:
        file: The script.
        tree: Of it.

    Returns:
        Trees by file, the script first; what cannot be parsed is left out.
    """
    found, waiting = {file: tree}, [file]
    while waiting and len(found) < MOST_FILES:
        current = waiting.pop(0)
        for candidate in _local_files(found[current], current.parent, file.parent):
            if candidate in found:
                continue
            try:
                found[candidate] = parse(candidate)
            except UsageError:
                continue
            waiting.append(candidate)
    return found


def _local_files(tree: ast.Module, here: Path, root: Path) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for entry in node.names:
                yield from _files_of(root, entry.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = root
            if node.level:
                base = [here, *here.parents][min(node.level - 1, len(here.parents))]
            words = node.module.split(".") if node.module else []
            yield from _files_of(base, words)
            for entry in node.names:
                yield from _files_of(base, [*words, entry.name])


def _files_of(base: Path, words: list[str]) -> Iterator[Path]:
    place = base.joinpath(*words)
    for candidate in (place.with_suffix(".py") if words else place, place / "__init__.py"):
        if candidate.is_file():
            yield candidate


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that an import of a module runs: not those of the main guard and of functions.

    Args:
        tree: Of the module.

    Yields:
        Each statement, and those inside of it.
    """
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.Try):
            waiting += node.body + node.orelse + node.finalbody
            waiting += [below for handler in node.handlers for below in handler.body]
        elif isinstance(node, ast.With | ast.For | ast.While):
            waiting += node.body
        elif isinstance(node, ast.If):
            waiting += [each for below, is_run in branches(node) if is_run for each in below]


def branches(node: ast.If) -> list[tuple[list[ast.stmt], bool]]:
    """The two branches of an `if`, and whether an import of the file may run them.

    Args:
        node: Such as `if __name__ == "__main__" and ready:`.

    Returns:
        What follows the condition, and what follows its `else`.
    """
    holds = _holds_in_an_import(node.test)
    return [(node.body, holds is not False), (node.orelse, holds is not True)]


def _holds_in_an_import(test: ast.expr) -> bool | None:
    """The value of a condition where `__name__` is not "__main__"; None when that does not tell."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _holds_in_an_import(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        decides = isinstance(test.op, ast.Or)
        values = [_holds_in_an_import(value) for value in test.values]
        if decides in values:
            return decides
        return None if None in values else not decides
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    sides = [test.left, test.comparators[0]]
    names = {side.id for side in sides if isinstance(side, ast.Name)}
    words = {side.value for side in sides if isinstance(side, ast.Constant)}
    if names != {"__name__"} or words != {"__main__"}:
        return None
    return {ast.Eq: False, ast.NotEq: True}.get(type(test.ops[0]))
