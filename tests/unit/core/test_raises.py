"""Every error that the package can raise carries a code that is explained, and a telling one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import alectio_agent
from alectio_agent.config.problems import Code
from alectio_agent.core import errors
from alectio_agent.core.codes import explanations
from alectio_agent.core.errors import (
    CODE_PATTERN,
    AlectioAgentError,
    ConfigError,
)
from alectio_agent.core.problem_codes import AUTH_CODES, PROBLEM_CODES

PACKAGE = Path(alectio_agent.__file__).parent
TREES = {file: ast.parse(file.read_text()) for file in sorted(PACKAGE.rglob("*.py"))}
UNEXPECTED = AlectioAgentError.usual_code


def known_classes() -> dict[str, str]:
    """The usual code of each class of ours, those outside `core.errors` among them."""
    found = {
        name: each.usual_code
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, AlectioAgentError)
    }
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in found:
                for base in node.bases:
                    if isinstance(base, ast.Name) and base.id in found:
                        found[node.name] = found[base.id]
    return found


def made() -> Iterator[tuple[str, str, ast.Call]]:
    """Each place where an error is made: the place, the usual code of its class, the call."""
    classes = known_classes()
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                usual = classes.get(node.func.id)
                if usual is not None:
                    yield f"{file.relative_to(PACKAGE)}:{node.lineno}", usual, node


def texts(node: ast.AST) -> list[str]:
    return [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def codes_of(usual: str, call: ast.Call) -> set[str]:
    """The codes that an error made here can carry."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    said = {code for each in given for text in texts(each) for code in CODE_PATTERN.findall(text)}
    for argument in call.args:
        said |= {found[0] for text in texts(argument) if (found := CODE_PATTERN.match(text))}
    return said or {usual}


def test_errors_are_made_in_many_places() -> None:
    """Else the tests below would look at nothing."""
    assert len(list(made())) > 100


def test_every_error_carries_a_code_that_is_explained() -> None:
    known = set(explanations())
    wrong = {
        place: codes
        for place, usual, call in made()
        if not (codes := codes_of(usual, call)) <= known
    }
    assert wrong == {}


def test_every_class_has_a_code_that_is_explained() -> None:
    assert set(known_classes().values()) <= set(explanations())


def test_only_the_top_of_the_process_calls_something_unexpected() -> None:
    general = [place for place, usual, call in made() if UNEXPECTED in codes_of(usual, call)]
    assert [place.partition(":")[0] for place in general] == ["cli/main.py"]


def test_the_codes_that_tables_give_are_explained() -> None:
    given = {*AUTH_CODES.values(), *PROBLEM_CODES.values(), *map(str, Code)}
    assert given <= set(explanations())


def test_every_problem_of_a_configuration_has_a_code_of_its_own() -> None:
    general = [
        place for place, usual, call in made()
        if usual == ConfigError.usual_code and codes_of(usual, call) == {usual}
    ]  # fmt: skip
    # The lines of `problems.py` bring their codes; see `Problem.line`.
    assert [place.partition(":")[0] for place in general] == ["config/problems.py"]


def test_no_message_shows_the_name_of_a_failure_class() -> None:
    """They are words of the wire."""
    names = ("user_code", "failure_class")
    for place, _, call in made():
        assert not [text for text in texts(call) if any(name in text for name in names)], place
