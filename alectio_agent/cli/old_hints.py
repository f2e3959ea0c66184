"""Guesses about an experiment from what a script and its modules say literally."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLASSES = re.compile(r"(num|n|nr)?_?class(es)?(_?names|_?labels)?", re.IGNORECASE)
POOL = re.compile(
    r"((num|n)_?)?(pool|train|dataset|samples)(_?size|_?samples|_?len)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Hint:
    """A value that a name in the code suggests.

    Attributes:
        place: `file:line name`.
    """

    value: Any
    place: str


def class_hint(trees: Mapping[Path, ast.Module]) -> Hint | None:
    """The number of classes, or their names.

    Args:
        trees: By file.
    """
    return _first(trees, CLASSES, _are_classes)


def pool_hint(trees: Mapping[Path, ast.Module]) -> Hint | None:
    """The number of samples.

    Args:
        trees: By file.
    """
    return _first(trees, POOL, lambda value: _is_count(value) and value >= 10)


def has_boxes(trees: Mapping[Path, ast.Module]) -> bool:
    """Whether the functions speak of boxes, as those of object detection do.

    Args:
        trees: By file.
    """
    nodes = (node for tree in trees.values() for node in ast.walk(tree))
    return any(isinstance(node, ast.Constant) and node.value == "boxes" for node in nodes)


def _first(trees: Mapping[Path, ast.Module], names: re.Pattern[str], fits: Any) -> Hint | None:
    for file, tree in trees.items():
        for name, node in _named(tree):
            if not names.fullmatch(name):
                continue
            try:
                value = ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError, RecursionError):
                continue
            if fits(value):
                return Hint(value, f"{file.name}:{node.lineno} {name}")
    return None


def _named(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Everything that is given a name: assignments, keywords, keys of dicts, defaults."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.value
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        elif isinstance(node, ast.arguments):
            known = node.args[len(node.args) - len(node.defaults) :]
            for argument, default in zip(known, node.defaults, strict=True):
                yield argument.arg, default


def _are_classes(value: Any) -> bool:
    if _is_count(value):
        return bool(value >= 2)
    is_list = isinstance(value, list | tuple) and len(set(map(str, value))) == len(value)
    return is_list and len(value) >= 2 and all(isinstance(x, str) and x.strip() for x in value)


def _is_count(value: Any) -> bool:
    return type(value) is int
