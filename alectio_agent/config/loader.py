"""Loads a YAML file into a frozen model, or says everything that is wrong with it at once."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from alectio_agent.config.document import Document
from alectio_agent.config.kinds import Kind
from alectio_agent.config.layers import Flag, Layers
from alectio_agent.config.problems import Code, KeyPath, Problem, as_error, found, shown_path
from alectio_agent.config.validation import validate
from alectio_agent.config.values import Surroundings
from alectio_agent.config.yaml_lines import read_document
from alectio_agent.core.errors import ConfigError

Settings = TypeVar("Settings", bound=BaseModel)


def load(
    path: Path,
    model: type[Settings],
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[Flag, object] | None = None,
    *,
    may_be_absent: bool = False,
    looks_into_files: bool = False,
) -> Settings:
    """Load a configuration: flag > environment > file > default.

    Args:
        path: The YAML file; relative paths in it, and in variables, start at its folder.
        model: What it should be.
        environment: The process's variables. `ALECTIO_AGENT_SECTION__KEY` is a setting; others
            give defaults. None for a file that variables cannot change.
        overrides: Flags: key to value; None for a flag that was not given.
        may_be_absent: Without the file, the variables and flags alone are the configuration.
        looks_into_files: Certificates and credentials that values name must be there, and be right.

    Returns:
        The settings, with every default filled in.

    Raises:
        ConfigError: The file cannot be read, or has problems; the message has a line for each.
    """
    return load_layers(
        path,
        model,
        environment,
        overrides,
        may_be_absent=may_be_absent,
        looks_into_files=looks_into_files,
    )[0]


def load_layers(
    path: Path,
    model: type[Settings],
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[Flag, object] | None = None,
    *,
    may_be_absent: bool = False,
    looks_into_files: bool = False,
) -> tuple[Settings, Layers]:
    """Load a configuration, and keep where each value comes from.

    Args:
        path: As for `load`.
        model: As for `load`.
        environment: As for `load`.
        overrides: As for `load`.
        may_be_absent: As for `load`.
        looks_into_files: As for `load`.

    Returns:
        The settings, and the layers that they were made of.

    Raises:
        ConfigError: As for `load`.
    """
    settings, layers, problems = _read(
        path, model, environment, overrides,
        may_be_absent=may_be_absent, looks_into_files=looks_into_files,
    )  # fmt: skip
    if settings is None or problems:
        raise as_error(problems)
    return settings, layers


def load_sound(
    path: Path, model: type[Settings], environment: Mapping[str, str], needed: KeyPath
) -> tuple[Settings, ConfigError | None]:
    """Load what is right of a configuration, for a command that needs one value of it.

    Args:
        path: The YAML file.
        model: What it should be.
        environment: The process's variables.
        needed: Key of that value.

    Returns:
        The settings, with the default in the place of all that is wrong; and what is wrong.

    Raises:
        ConfigError: The file cannot be read, that value may be wrong, or nothing can be made of
            the rest.
    """
    settings, _, problems = _read(path, model, environment)
    if settings is None or any(_casts_doubt(problem, needed) for problem in problems):
        raise as_error(problems)
    return settings, as_error(problems) if problems else None


def _read(
    path: Path,
    model: type[Settings],
    environment: Mapping[str, str] | None,
    overrides: Mapping[Flag, object] | None = None,
    *,
    may_be_absent: bool = False,
    looks_into_files: bool = False,
) -> tuple[Settings | None, Layers, list[Problem]]:
    is_absent = may_be_absent and not path.exists()
    document = Document(shown_path(path), {}) if is_absent else read_document(path)
    root = Kind.of(model)
    layers = Layers(document, root, _top(document, root))
    layers.lay_environment(environment or {})
    layers.lay_flags(overrides or {})
    context = Surroundings(path.absolute().parent, environment or {}, looks_into_files)
    settings, complaints = validate(model, layers.value, context)
    problems = [
        *document.problems,
        *layers.problems,
        *(Problem(each.code, layers.place(each.path), each.path, each.text) for each in complaints),
    ]
    return settings, layers, problems


def _casts_doubt(problem: Problem, needed: KeyPath) -> bool:
    """Whether a key is part of the needed one, or was perhaps meant to be."""
    depth = len(problem.path)
    if problem.path == needed[:depth]:
        return True
    *around, name = map(str, problem.path)
    meant = [str(key) for key in needed]
    is_beside = problem.code == Code.UNKNOWN_KEY and around == meant[: depth - 1]
    return is_beside and bool(get_close_matches(name, meant[depth - 1 : depth]))


def _top(document: Document, root: Kind) -> dict[str, object]:
    value = document.value
    if isinstance(value, dict):
        return value
    expected = root.expected()
    if value is None:
        raise document.refuse(f"the file is empty; expected {expected}", 1)
    line, column = document.marks[()]
    raise document.refuse(f"found {found(value)}, expected {expected}", line, column)
