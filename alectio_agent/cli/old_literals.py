"""Values that stand literally in a script of the old SDK."""

import ast
from collections.abc import Mapping
from typing import Any

from alectio_agent.cli.old_imports import branches, top_level


def literals_of(tree: ast.Module) -> dict[str, ast.expr]:
    """What is assigned to plain names at the top level, also under the main guard.

    Args:
        tree: The script.
    """
    guards = [node for node in tree.body if isinstance(node, ast.If)]
    unseen = [below for guard in guards for below, is_run in branches(guard) if not is_run]
    return assigned([*top_level(tree), *(node for below in unseen for node in below)])


def assigned(statements: list[ast.stmt]) -> dict[str, ast.expr]:
    """What statements assign to plain names.

    Args:
        statements: Looked at as they are, not what is inside of them.
    """
    return {
        target.id: node.value
        for node in statements
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def literal(node: ast.expr | None, literals: Mapping[str, ast.expr]) -> Any:
    """The value of an expression that needs no running.

    Args:
        node: The expression.
        literals: What names stand for.

    Returns:
        None for any other.
    """
    if isinstance(node, ast.Name):
        node = literals.get(node.id)
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def text(node: ast.expr | None, literals: Mapping[str, ast.expr]) -> str | None:
    """The same for a text.

    Args:
        node: The expression.
        literals: What names stand for.

    Returns:
        None for any other value.
    """
    found = literal(node, literals)
    return found if isinstance(found, str) else None


def is_none(node: ast.expr | None) -> bool:
    """Whether nothing is given, or a `None`.

    Args:
        node: Of an argument.
    """
    return node is None or (isinstance(node, ast.Constant) and node.value is None)
