"""Replaces the process of an old SDK's script by `alectio-agent run` for that script."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from alectio_agent.agent.hooks.child.failures import LoadError
from alectio_agent.agent.hooks.child.signatures import read_signature
from alectio_agent.cli.old_script import is_under_main_guard
from alectio_agent.core.errors import ConfigError, HookLoadError
from alectio_agent.core.slug import slug

MODULE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class Handover:
    """What a script's `Pipeline` knows.

    Attributes:
        name: As written in the script.
        functions: By step; None for one that was not given.
        args: Handed to the hooks.
        line: Of the main file's top level that made it; None when it was made elsewhere.
        nth: Which of those that this line makes, from 0 on.
    """

    name: Any
    functions: Mapping[str, Callable[..., Any] | None]
    args: Mapping[str, Any]
    line: int | None
    nth: int = 0


def hand_over(told: Handover) -> NoReturn:
    """Become `alectio-agent run` for the running script.

    Args:
        told: By the script's `Pipeline`.

    Raises:
        ConfigError: There is no script file.
        HookLoadError: A function is missing, or cannot be called by another process.
    """
    script = _script(sys.modules.get("__main__"))
    _check_functions(told.functions)
    words = command(told, script, sys.modules["__main__"], sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: the script's folder must not stand before the library for the agent too; a secrets.py or
    # platform.py there is the script's own.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "alectio_agent", *words])  # noqa: S606 - no shell is the point


def command(told: Handover, script: Path, main: ModuleType, argv: list[str]) -> list[str]:
    """The command line that runs a script's hooks.

    Args:
        told: By the script's `Pipeline`.
        script: The main file.
        main: The module that was made from it.
        argv: The script's own arguments.

    Returns:
        Words after `alectio-agent`. They hold no value of `args`, which other users of the machine
        could read: an inherited file does.

    Raises:
        HookLoadError: A function that has to be told has no name.
    """
    words = [
        "run",
        "--script",
        str(script),
        "--pipeline",
        slug(told.name or "", slug(script.stem, "main")),
    ]
    module = _module_name(main)
    if module is not None:
        words += ["--module", module]
    # The hook process does not run what stands under the guard, or in a function that is called
    # there: what this pipeline was given has to be told.
    if told.line is not None and not is_under_main_guard(script, told.line):
        return [*words, "--made-at", f"{told.line}:{told.nth}", "--", *argv]
    for step, name in _references(told.functions, main, module).items():
        words += ["--hook", f"{step}={name}"]
    if told.args:
        words += ["--args-fd", str(inherited(_plain(told.args)))]
    return [*words, "--", *argv]


def _script(main: ModuleType | None) -> Path:
    file = getattr(main, "__file__", None)
    if file is None or not Path(file).is_file():
        raise ConfigError(
            "a Pipeline can be called in a script only: expected `python main.py`, found a "
            "notebook or a prompt, whose functions no other process can import",
            hint="Put the functions into a file, then: alectio-agent init . --from main.py",
            code="E-RUN-06",
        )
    return Path(file).absolute()


def _check_functions(functions: Mapping[str, Callable[..., Any] | None]) -> None:
    missing = [step for step, function in functions.items() if function is None]
    if missing:
        named = ", ".join(f"{step}_fn" for step in missing)
        raise HookLoadError(f"E-HOOK-03  Pipeline(...) was given no {named}")
    for step, function in functions.items():
        try:
            read_signature(step, function)
        except LoadError as error:
            raise HookLoadError(f"E-HOOK-03  {error}") from error


def _module_name(main: ModuleType) -> str | None:
    """Name of the module that `python -m` was given; None for a file."""
    spec = getattr(main, "__spec__", None)
    return None if spec is None else str(spec.name)


def _references(
    functions: Mapping[str, Callable[..., Any] | None], main: ModuleType, module: str | None
) -> dict[str, str]:
    """How the hook process finds the functions."""
    found = {}
    for step, function in functions.items():
        name = _reference(function, main, module)
        if name is None:
            raise HookLoadError(
                f"E-HOOK-03  {step}_fn is a {type(function).__name__} that no name of a module "
                "leads to, and its Pipeline stands where an import of the script does not make it",
                hint=f"Define {step} with `def` at the top level, or move the Pipeline out of the "
                "main guard or function, to the top level.",
            )
        found[step] = name
    return found


def _reference(function: Any, main: ModuleType, module: str | None) -> str | None:
    name = getattr(function, "__qualname__", "")
    home = sys.modules.get(str(getattr(function, "__module__", "")))
    if home is not None and name.isidentifier() and getattr(home, name, None) is function:
        if home is not main:
            is_named = MODULE_PATTERN.fullmatch(home.__name__)
            return f"{home.__name__}:{name}" if is_named else None
        return f"{module}:{name}" if module else name
    for known, value in vars(main).items():
        if value is function and known.isidentifier():
            return f"{module}:{known}" if module else known
    return None


def _plain(args: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the arguments that another process can be told."""
    plain = {}
    for key, value in args.items():
        try:
            plain[str(key)] = json.loads(json.dumps(value, allow_nan=False, default=_scalar))
        except (TypeError, ValueError, RecursionError):
            sys.stderr.write(
                f"alectio-agent: args[{key!r}] is a {type(value).__name__}, which cannot be handed "
                "to the hook process. Make the Pipeline outside of the main guard.\n"
            )
    return plain


def _scalar(value: Any) -> Any:
    """The Python number in one of numpy's."""
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        return value.item()
    raise TypeError(type(value).__name__)


def inherited(args: Mapping[str, Any]) -> int:
    """Arguments in a file without a name that outlives this program.

    Args:
        args: Plain ones.

    Returns:
        Its descriptor, at the beginning.
    """
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(args).encode())
        file.flush()
        number = os.dup(file.fileno())
    os.lseek(number, 0, os.SEEK_SET)
    os.set_inheritable(number, True)  # noqa: FBT003 - the call takes no keyword
    return number
