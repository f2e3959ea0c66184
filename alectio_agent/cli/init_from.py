"""The two configuration files around a script of the old SDK."""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.child.packages import package_root, place_in_package
from alectio_agent.cli.init_files import GAP, IGNORE_FILE, IGNORE_NOTE, Draft, ignore_text
from alectio_agent.cli.init_starter import RANDOM, RANKED, python_line
from alectio_agent.cli.old_environment import Variable, variables
from alectio_agent.cli.old_hints import Hint, class_hint, has_boxes, pool_hint
from alectio_agent.cli.old_imports import Imports, with_local_modules
from alectio_agent.cli.old_script import OldScript
from alectio_agent.cli.run_script import EXPERIMENT
from alectio_agent.cli.settings import load_experiment_file
from alectio_agent.cli.yaml_text import aligned, quoted, scalar
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.slug import slug
from alectio_agent.wire.experiment import ExperimentSettings

GUESSED_POOL = 1000
GUESSED_BATCH = 50
SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
BY_THE_AGENT = ("EXPT_DIR", "LOG_DIR")


@dataclass(frozen=True)
class _Found:
    """What the files of a script say.

    Attributes:
        name: Of pipeline and experiment.
        hooks: The script, as `agent.yaml` names it.
        pool: None when `state` counts the samples, or nothing says it.
        cwd: Working folder; empty for that of the script.
        is_pool_known: An `experiment.yaml` that is there says it.
    """

    name: str
    hooks: str
    task: str
    is_guess: bool
    variables: list[Variable]
    classes: Hint | None
    pool: Hint | None
    is_pool_known: bool
    cwd: str


def draft_from(old: OldScript, folder: Path, task: str | None, python: Path | None) -> Draft:
    """Draft the configuration for a script.

    Args:
        old: As it was read.
        folder: Where the files will lie.
        task: As given; None takes what the script looks like.
        python: Interpreter of the hooks; None for the agent's own.

    Returns:
        The files; what no script says is marked in them.
    """
    trees = with_local_modules(old.file, old.tree)
    known = _experiment_there(folder)
    wanted = known.pipeline if known is not None else None
    found = _Found(
        wanted or slug(old.name or "", slug(old.file.absolute().parent.name, "main")),
        _shown(old.file, folder),
        task or ("object_detection" if has_boxes(trees) else "classification"),
        task is None,
        variables(trees),
        class_hint(trees),
        None if "state" in old.functions else pool_hint(trees),
        known is not None and known.pool is not None,
        _cwd(old, folder),
    )
    files = {
        "agent.yaml": aligned("\n".join(_agent(old, found, python))),
        EXPERIMENT: aligned("\n".join(_experiment(old, found))),
        IGNORE_FILE: ignore_text(),
    }
    kept = {IGNORE_FILE: IGNORE_NOTE, EXPERIMENT: "it stays as it is"}
    return Draft(files, tuple(_notes(old)), tuple(_warnings(old)), kept)


def _experiment_there(folder: Path) -> ExperimentSettings | None:
    """What an `experiment.yaml` says that is there already; the script may have run with it."""
    try:
        return load_experiment_file(folder / EXPERIMENT)
    except ConfigError:
        return None  # none, or one with problems: `run` names them


def _cwd(old: OldScript, folder: Path) -> str:
    """Where `python -m` is typed for a script that imports from its own package."""
    file = Path(os.path.normpath(old.file.absolute()))
    root, module = package_root(file)
    is_relative = place_in_package(file) is not None
    package = module.partition(".")[0]
    is_absolute = (file.parent / "__init__.py").is_file() and any(
        found.module.partition(".")[0] == package for found in Imports.of(old.tree).by_name.values()
    )
    return _shown(root, folder) if is_relative or is_absolute else ""


def _shown(script: Path, folder: Path) -> str:
    """Relative to the folder when the script lies in there, else absolute."""
    full, base = Path(os.path.normpath(script.absolute())), folder.absolute()
    base = Path(os.path.normpath(base))
    return str(full.relative_to(base) if full.is_relative_to(base) else full)


def _agent(old: OldScript, found: _Found, python: Path | None) -> Iterator[str]:
    yield f"# Written by `alectio-agent init --from {old.file.name}`. More: docs/configuration.md."
    yield "pipelines: # the functions"
    yield f"  {scalar(found.name)}: # the name of the Pipeline"
    if old.is_seen:
        yield f"    hooks: {scalar(found.hooks)} # line {old.line} makes the Pipeline"
    else:
        yield f"    hooks: # line {old.line} makes the Pipeline, but no import runs it"
        yield f"      script: {scalar(found.hooks)} # imported first, with another __name__"
        for step, name in old.functions.items():
            yield f"      {step}: {scalar(name)} # {_where(name)}"
    if found.cwd:
        yield f"    cwd: {scalar(found.cwd)} # holds the package that the script is a part of"
    yield f"    {python_line(python)}"
    yield f"    {_pool(old, found)}"
    yield from _environment(found.variables)
    yield from _args(old)
    yield "experiment: experiment.yaml # what the hub in the box runs"


def _where(name: str) -> str:
    return "a function of another module" if ":" in name else "a function of the script"


def _pool(old: OldScript, found: _Found) -> str:
    if "state" in old.functions:
        return "# pool_size: 1000 # samples that may be chosen; getstate_fn tells it"
    if found.is_pool_known:
        return f"# pool_size: 1000 # samples that may be chosen; {EXPERIMENT} tells it"
    if found.pool is not None:
        said = f"samples that may be chosen; guessed from {found.pool.place}"
        return f"pool_size: {found.pool.value} # {GAP}: {said}"
    return f"pool_size: {GUESSED_POOL} # {GAP}: how many samples may be chosen"


def _environment(found: list[Variable]) -> Iterator[str]:
    lines = [_variable(each) for each in found]
    if not lines:
        return
    is_empty = all(line.startswith("#") for line in lines)
    yield f"    {'# ' if is_empty else ''}env: # the variables that the code reads"
    for line in lines:
        yield f"    {'#   ' + line.removeprefix('# ') if is_empty else '  ' + line}"


def _variable(each: Variable) -> str:
    """One line; the value of a secret is never looked at."""
    said = f"{each.place} reads it"
    if each.name in BY_THE_AGENT:
        return f"# {each.name}: ... # {said}; the agent sets it, a folder for each experiment"
    if SECRET.search(each.name):
        return f"# {each.name}: ... # {said}; a secret belongs into `env_file` (chmod 600)"
    value = os.environ.get(each.name)
    if value is not None and _is_text(value):
        return f"{each.name}: {quoted(value)} # {said}; today's value"
    if each.default:
        return f"# {each.name}: ... # {said}; not set today, then {_short(each.default)}"
    return f"# {each.name}: ... # {GAP}: {said}, it is not set today"


def _is_text(value: str) -> bool:
    return value.isprintable()


def _short(text: str) -> str:
    return " ".join(text.split())[:60]


def _args(old: OldScript) -> Iterator[str]:
    """Arguments that stand in the script; they need no copy where the hook process meets them."""
    if not old.has_args:
        return
    if old.is_seen:
        yield "    # args: {} # goes before the args of the Pipeline, which count as well"
        return
    if not isinstance(old.args, Mapping):
        yield f"    args: {{}} # {GAP}: the args of line {old.line}, which only running would tell"
        return
    yield f"    args: # those of line {old.line}"
    for key, value in old.args.items():
        if SECRET.search(str(key)):
            yield f"      # {key}: ... # looks like a secret: not copied"
        else:
            yield f"      {scalar(str(key))}: {_value(value)}"


def _value(value: Any) -> str:
    try:
        return quoted(value)
    except (TypeError, ValueError):
        return f"null # {GAP}: {_short(ast.unparse(ast.parse(repr(value))))}"


def _experiment(old: OldScript, found: _Found) -> Iterator[str]:
    mark = f"{GAP}: " if found.is_guess else ""
    yield f"# Written by `alectio-agent init --from {old.file.name}`. More: docs/configuration.md."
    yield f"name: {scalar(found.name)} # the results go to results/{found.name}"
    yield (
        f"task: {found.task} # {mark}classification, multi_label, regression, object_detection, "
        "segmentation or custom"
    )
    yield from _classes(found)
    batch = max(1, found.pool.value // 20) if found.pool else GUESSED_BATCH
    yield f"batch: {batch} # {GAP}: samples that are added in each loop, loop 0 included"
    yield "loops: 10 # how often"
    yield RANKED if found.task == "classification" else RANDOM
    yield "seed: 0 # the same seed makes the same choices"


def _classes(found: _Found) -> Iterator[str]:
    if found.task in ("regression", "custom"):
        return
    if found.classes is None:
        # A guess would train for hours before the first infer shows that it is wrong.
        yield f"classes: null # {GAP}: how many, or their names: [cat, dog]"
        return
    value = found.classes.value
    shown = value if isinstance(value, int) else quoted(list(value))
    yield f"classes: {shown} # {GAP}: guessed from {found.classes.place}"


def _notes(old: OldScript) -> Iterator[str]:
    hooks = ", ".join(f"{step} = {name}" for step, name in old.functions.items())
    yield f"Found in {old.file}:{old.line}: {hooks}."
    if old.others:
        named = ", ".join(
            f"line {line}" + (f" `{name}`" if name else "") for line, name in old.others.items()
        )
        yield (
            f"The script makes further Pipelines ({named}), which are not in agent.yaml: give each "
            "an entry of its own below `pipelines`, with the name of its Pipeline."
        )
    if not old.is_seen:
        yield (
            "That line stands under the main guard or in a function, which is not run in the hook "
            "process: agent.yaml names the functions one by one."
        )
    if old.serving:
        yield f"No longer needed: {', '.join(old.serving)}. Nothing listens on a port any more."


def _warnings(old: OldScript) -> Iterator[str]:
    if old.token_line is not None:
        yield (
            f"{old.file}:{old.token_line} holds a token. It was copied nowhere; take it out of the "
            "script, and revoke it if others can read that file"
        )
