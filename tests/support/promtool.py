"""Prometheus's own judge of metrics and rules."""

import os
import shutil
import subprocess

import pytest


def need_promtool() -> None:
    """Skip the test on a laptop without promtool; fail where it must be there."""
    if shutil.which("promtool"):
        return
    if os.environ.get("CI"):
        pytest.fail("promtool is not installed (Debian: prometheus)")
    pytest.skip("promtool is not installed (Debian: prometheus)")


def promtool(*words: str, text: str = "") -> str:
    """What it says; fails the test when it finds anything wrong, be it a matter of style."""
    need_promtool()
    ran = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    return said
