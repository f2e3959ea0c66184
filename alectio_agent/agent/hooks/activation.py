"""Makes an environment of variables look as if the interpreter's own had been activated."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.core.errors import HookLoadError

SCRIPTS_S = 60.0
SOURCE = 'for file in "$@"; do . "$file" >/dev/null; done; exec /usr/bin/env -0'
SHELLS_OWN = {"_", "SHLVL", "PWD", "OLDPWD"}


def activate(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What activating the interpreter's virtual or conda environment would do.

    Args:
        python: The interpreter.
        environment: Without it.

    Returns:
        The variables with it; for any other interpreter the agent's own virtual environment is
        taken out, since it would only mislead.

    Raises:
        HookLoadError: A script in `activate.d` of the conda environment does not run.
    """
    found = _deactivated(environment)
    prefix = python.parent.parent
    if (prefix / "pyvenv.cfg").is_file():
        return _with_path({**found, "VIRTUAL_ENV": str(prefix)}, prefix)
    for folder in (prefix, python.resolve().parent.parent):
        if (folder / "conda-meta").is_dir():
            return _activate_conda(folder, found)
    return found


def _deactivated(environment: Mapping[str, str]) -> dict[str, str]:
    found = dict(environment)
    prefix = found.pop("VIRTUAL_ENV", None)
    found.pop("VIRTUAL_ENV_PROMPT", None)
    if prefix is not None and "PATH" in found:
        entries = found["PATH"].split(":")
        found["PATH"] = ":".join(entry for entry in entries if entry != f"{prefix}/bin")
    return found


def _with_path(environment: dict[str, str], prefix: Path) -> dict[str, str]:
    entries = [str(prefix / "bin"), *environment.get("PATH", "/usr/bin:/bin").split(":")]
    return {**environment, "PATH": ":".join(dict.fromkeys(entries))}


def _activate_conda(prefix: Path, environment: dict[str, str]) -> dict[str, str]:
    found = _with_path(environment, prefix)
    found |= {
        "CONDA_PREFIX": str(prefix),
        "CONDA_DEFAULT_ENV": _conda_name(prefix),
        "CONDA_SHLVL": "1",
    }
    scripts = sorted((prefix / "etc/conda/activate.d").glob("*.sh"))
    return _source(scripts, found) if scripts else found


def _conda_name(prefix: Path) -> str:
    if prefix.parent.name == "envs":
        return prefix.name
    return "base" if (prefix / "condabin").is_dir() else str(prefix)


def _source(scripts: list[Path], environment: dict[str, str]) -> dict[str, str]:
    """Run the scripts in a shell and see which variables it then has."""
    command = ["bash", "--noprofile", "--norc", "-c", SOURCE, "bash", *map(str, scripts)]
    try:
        done = subprocess.run(  # noqa: S603 - the scripts of the environment that was configured
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SCRIPTS_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HookLoadError(
            f"E-HOOK-02  {scripts[0].parent}: the scripts that activate this conda environment "
            f"do not run ({error})"
        ) from error
    entries = [entry.partition("=") for entry in done.stdout.decode(errors="replace").split("\0")]
    kept = {name: environment[name] for name in SHELLS_OWN & environment.keys()}
    return {name: value for name, _, value in entries if name and name not in SHELLS_OWN} | kept
