"""Reads a script of the old SDK without running it: what its `Pipeline(...)` names."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.child.packages import package_root
from alectio_agent.cli.old_imports import Imports, branches, parse, top_level
from alectio_agent.cli.old_literals import assigned, is_none, literal, literals_of, text
from alectio_agent.core.errors import UsageError
from alectio_agent.core.slug import slug

PARAMETERS = ("name", "train_fn", "test_fn", "infer_fn", "getstate_fn", "args", "token")
STEPS = {"train": "train_fn", "test": "test_fn", "infer": "infer_fn", "state": "getstate_fn"}
SERVING = ("debug", "host", "port")
MEND = (
    "Expected a call such as Pipeline(name=..., train_fn=train, test_fn=test, infer_fn=infer) with "
    "functions that stand at the top level of a file"
)


@dataclass(frozen=True)
class OldScript:
    """What was read.

    Attributes:
        tree: The script, parsed.
        line: Of the `Pipeline`.
        is_seen: The hook process, which imports the script, meets the `Pipeline`: it stands neither
            under the main guard nor in a function.
        name: As written; None when only running the script would tell.
        functions: How the hook process finds each hook: the name of a function of the script, or
            `module:function`.
        args: What stands there literally; None when there are none, or only running would tell.
        has_args: Whether `args` were given at all.
        token_line: Where a token is given; None when there is none.
        others: Further Pipelines of the script: name, if it stands there, by line.
        serving: Those of `debug`, `host` and `port` that are given, with their lines.
    """

    file: Path
    tree: ast.Module
    line: int
    is_seen: bool
    name: str | None
    functions: Mapping[str, str]
    args: Any
    has_args: bool
    token_line: int | None
    serving: Mapping[str, int]
    others: Mapping[int, str | None] = field(default_factory=dict)


@dataclass
class _Walk(ast.NodeVisitor):
    """Calls and imports, and whether an import of the script meets them."""

    is_seen: bool = True
    calls: list[tuple[ast.Call, bool]] = field(default_factory=list)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        for below, is_run in branches(node):
            if is_run:
                for each in below:
                    self.visit(each)
            else:
                self._unseen(below)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._unseen(node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._unseen(node.body)

    def visit_Call(self, node: ast.Call) -> None:
        self.calls.append((node, self.is_seen))
        self.generic_visit(node)

    def _unseen(self, body: list[ast.stmt]) -> None:
        before, self.is_seen = self.is_seen, False
        for node in body:
            self.visit(node)
        self.is_seen = before


def read_old_script(file: Path) -> OldScript:
    """Read a script.

    Args:
        file: Its path.

    Returns:
        What its `Pipeline` names; of several the first one that is called, else the last.

    Raises:
        UsageError: It cannot be read, makes no `Pipeline`, one without the three functions, or
            several that have no names to tell them apart.
    """
    tree = parse(file)
    imports = Imports.of(tree, package_root(file.absolute())[1].rpartition(".")[0])
    walk = _Walk()
    walk.visit(tree)
    made = [(call, is_seen) for call, is_seen in walk.calls if _is_pipeline(call, imports)]
    if not made:
        raise UsageError(f"{file}: found no Pipeline(...)", hint=MEND, code="E-INIT-02")
    call, is_seen = _called(tree, walk.calls, made)
    given = _arguments(call)
    literals = literals_of(tree)
    functions = _functions(file, tree, call, imports, is_seen=is_seen)
    token, args = given.get("token"), given.get("args")
    name = text(given.get("name"), literals)
    others = {
        other.lineno: text(_arguments(other).get("name"), literals)
        for other, _ in made
        if other is not call
    }
    if is_seen and others:
        _check_names(file, call, name, [seen for seen, is_met in made if is_met], literals)
    return OldScript(
        file,
        tree,
        call.lineno,
        is_seen,
        name,
        functions,
        literal(args, literals),
        not is_none(args),
        None if token is None or is_none(token) else token.lineno,
        dict(_serving(walk.calls)),
        others,
    )


def is_under_main_guard(file: Path, line: int) -> bool:
    """Whether a line stands under `if __name__ == "__main__":`.

    Args:
        file: The script.
        line: From 1.

    Returns:
        False too when the file cannot be parsed.
    """
    try:
        tree = parse(file)
    except UsageError:
        return False
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    return any(
        below[0].lineno <= line <= (below[-1].end_lineno or line)
        for guard in guards
        for below, is_run in branches(guard)
        if below and not is_run
    )


def _is_pipeline(call: ast.Call, imports: Imports) -> bool:
    """Scikit-learn has a Pipeline as well: what counts is where it is from, or what it is given."""
    if any(keyword.arg == "train_fn" for keyword in call.keywords):
        return True
    found = imports.resolve(call.func)
    return (
        found is not None
        and found.attribute == "Pipeline"
        and found.module.split(".")[0] in ("alectio_sdk", "alectio_agent")
    )


def _called(
    tree: ast.Module, calls: list[tuple[ast.Call, bool]], made: list[tuple[ast.Call, bool]]
) -> tuple[ast.Call, bool]:
    """The Pipeline that the script calls first, since that one runs; else the last."""
    by_node = {id(call): (call, is_seen) for call, is_seen in made}
    by_name = {
        target.id: by_node[id(node.value)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and id(node.value) in by_node
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call, _ in calls:
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr == "run":
            func = func.value
        found = by_name.get(func.id) if isinstance(func, ast.Name) else by_node.get(id(func))
        if found is not None:
            return found
    return made[-1]


def _check_names(
    file: Path,
    call: ast.Call,
    name: str | None,
    seen: list[ast.Call],
    literals: Mapping[str, ast.expr],
) -> None:
    """The hook process meets them all, and knows the one that is meant by its name only."""
    named = [slug(text(_arguments(each).get("name"), literals) or "", "") for each in seen]
    if len(seen) > 1 and (not name or named.count(slug(name, "")) != 1):
        lines = ", ".join(str(each.lineno) for each in seen)
        raise UsageError(
            f"{file} makes Pipelines in lines {lines}, and that of line {call.lineno} has no name "
            "of its own to be known by",
            hint="Give each its own: Pipeline(name='...', ...)",
            code="E-INIT-02",
        )


def _arguments(call: ast.Call) -> dict[str, ast.expr]:
    positional = dict(zip(PARAMETERS, call.args, strict=False))
    return {**positional, **{word.arg: word.value for word in call.keywords if word.arg}}


def _functions(
    file: Path, tree: ast.Module, call: ast.Call, imports: Imports, *, is_seen: bool
) -> dict[str, str]:
    given, found = _arguments(call), {}
    for step, parameter in STEPS.items():
        node = given.get(parameter)
        if node is None or is_none(node):
            if step != "state":
                place = f"{file}:{call.lineno}"
                said = f"{place} Pipeline(...) names no {parameter}"
                raise UsageError(said, hint=MEND, code="E-INIT-02")
            continue
        name = _reference(node, tree, imports)
        if (name is None and not is_seen) or isinstance(node, ast.Lambda):
            raise UsageError(
                f"{file}:{node.lineno} {parameter}={ast.unparse(node)[:60]}: the hook process "
                "cannot find this function",
                hint=MEND,
                code="E-INIT-02",
            )
        found[step] = name or ast.unparse(node)
    return found


def _reference(node: ast.expr, tree: ast.Module, imports: Imports) -> str | None:
    """How a process that has imported the script finds a function."""
    if isinstance(node, ast.Name) and node.id in _top_level_names(tree):
        return node.id
    found = imports.resolve(node)
    star = imports.by_name.get("*")
    if found is None and isinstance(node, ast.Name) and star is not None and star.is_seen:
        return node.id
    if found is None or not found.attribute:
        return None
    is_here = isinstance(node, ast.Name) and found.is_seen
    return ast.unparse(node) if is_here else f"{found.module}:{found.attribute}"


def _top_level_names(tree: ast.Module) -> set[str]:
    statements = list(top_level(tree))
    functions = {node.name for node in statements if isinstance(node, ast.FunctionDef)}
    return functions | assigned(statements).keys()


def _serving(calls: list[tuple[ast.Call, bool]]) -> Iterator[tuple[str, int]]:
    """`debug`, `host` and `port` of `app(...)` and `app.run(...)`."""
    for call, _ in calls:
        named = isinstance(call.func, ast.Name | ast.Call) or (
            isinstance(call.func, ast.Attribute) and call.func.attr == "run"
        )
        for word in call.keywords if named else []:
            if word.arg in SERVING:
                yield word.arg, call.lineno
