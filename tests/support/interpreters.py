"""Interpreters of this machine that are not the agent's own."""

import os
import subprocess
from pathlib import Path

import pytest

PYPY = Path("/usr/bin/pypy3")
DEBIAN = Path("/usr/bin/python3")


def need(interpreter: Path, module: str) -> Path:
    """The interpreter, when it is there and has the module; skips elsewhere, fails in CI."""
    probe = [str(interpreter), "-c", f"import {module}"]
    if interpreter.exists() and subprocess.run(probe, capture_output=True).returncode == 0:
        return interpreter
    reason = f"{interpreter} with {module} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
