"""Imports the user's hooks: from a file, from a script of the old SDK, or function by function."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Optional, Union

from alectio_agent.agent.hooks.child.choosing import Start, args_beside, called, meant
from alectio_agent.agent.hooks.child.constants import STEPS
from alectio_agent.agent.hooks.child.failures import NO_FILE, LoadError
from alectio_agent.agent.hooks.child.packages import place_in_package
from alectio_agent.agent.hooks.child.signatures import Hook, read_signature
from alectio_agent.agent.hooks.child.standins import Pipeline

SIMILAR = 0.7
"""`infere` and `Infer` are near enough; `interfere` is another word."""

STATE_NAMES = ("state", "getdatasetstate")


@dataclass(frozen=True)
class Hooks:
    """The user's functions.

    Attributes:
        by_step: `train`, `test`, `infer`, and `state` when there is one.
        args: Defaults that a script of the old SDK gave to its `Pipeline`.
    """

    by_step: dict[str, Hook]
    args: dict[str, Any]


def load_hooks(
    source: Union[str, Mapping[str, str]],
    registered: list[Pipeline],
    script: Optional[str] = None,
    name: str = "",
    start: Optional[Start] = None,
) -> Hooks:
    """Import the hooks and read their signatures.

    Args:
        source: Path of a file; or by step `package.module:function`, or the name of a function
            in the script.
        registered: Where `Pipeline` of a script registers itself.
        script: Path of a file that is imported before the functions are looked up.
        name: Of the pipeline in the configuration.
        start: How a script was started by itself; None for a run of the configuration.

    Returns:
        The hooks.

    Raises:
        LoadError: A function is missing, or can be called in neither form.
    """
    file = source if isinstance(source, str) else script
    home = None
    if start is not None and start.module:
        home = importlib.import_module(start.module)
    elif file:
        home = _import_file(Path(file))
    if isinstance(source, str):
        chosen = None
        if start is not None and home is not None:
            chosen = called(registered, home, start)
        else:
            chosen = meant(registered, source, name)
        functions = _functions_of(home, source, chosen)
        args = chosen.args if chosen is not None else {}
    else:
        functions = {step: _import_function(each, home) for step, each in source.items()}
        # A started script was told its own arguments already.
        args = args_beside(registered, functions, name) if start is None else {}
    return Hooks({step: read_signature(step, found) for step, found in functions.items()}, args)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise LoadError("{}: {}".format(path, NO_FILE))
    place = place_in_package(path)
    if place is not None:
        root, dotted = place
        sys.path.insert(0, str(root))  # first, as `python -m` has it
        return importlib.import_module(dotted)
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError("{}: expected a Python file (.py)".format(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _module_name(path: Path) -> str:
    """The name under which `import` would find it, so that pickles of its classes load again."""
    known = getattr(sys, "stdlib_module_names", ())
    if path.stem.isidentifier() and path.stem not in sys.modules and path.stem not in known:
        return path.stem
    return "alectio_hooks_{}".format(path.stem)


def _functions_of(
    module: Optional[ModuleType], source: str, chosen: Optional[Pipeline]
) -> dict[str, Any]:
    """The hooks of a module; the `Pipeline` that it made has the first word."""
    given = chosen.functions if chosen is not None else {}
    functions = {step: given.get(step) or getattr(module, step, None) for step in STEPS}
    lacking = [step for step, function in functions.items() if function is None]
    if lacking:
        raise _lacking(lacking, module, source)
    for name in STATE_NAMES:
        state = given.get("state") or getattr(module, name, None)
        # Many modules have some variable called `state`; without a Pipeline only functions count.
        if callable(state):
            return {**functions, "state": state}
    return functions


def _lacking(steps: list[str], module: Optional[ModuleType], source: str) -> LoadError:
    told = "{}: found no function {}. ".format(
        source, ", ".join("`{}`".format(step) for step in steps)
    )
    similar = [_meant(step, module) for step in steps] if module else []
    if any(similar):
        return LoadError(told + " ".join(text for text in similar if text))
    return LoadError(
        told
        + "Define train, test and infer at the top level. What stands under "
        '`if __name__ == "__main__":` is not run here: move the Pipeline(...) out of it, or name '
        "the functions: hooks: {{script: {}, train: fit, test: ...}}".format(Path(source).name)
    )


def _meant(step: str, module: ModuleType) -> str:
    """What to say when a function is only misspelt; empty when none is similar."""
    known = [name for name, value in vars(module).items() if callable(value) and name not in STEPS]
    found = difflib.get_close_matches(step, known, n=1, cutoff=SIMILAR)
    return "Found `{}`: did you mean `{}`?".format(found[0], step) if found else ""


def _import_function(reference: str, home: Optional[ModuleType]) -> Any:
    """A function by its name; without a module it is one of the script `home`."""
    name, _, attribute = reference.rpartition(":")
    module = home if home is not None and not name else importlib.import_module(name)
    function = getattr(module, attribute, None)
    if function is None:
        known = [name for name, value in vars(module).items() if callable(value)]
        near = difflib.get_close_matches(attribute, known, n=1, cutoff=SIMILAR)
        mend = ". Did you mean `{}`?".format(near[0]) if near else ""
        raise LoadError("{}: found no function `{}`{}".format(module.__file__, attribute, mend))
    return function
