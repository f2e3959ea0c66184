"""Units are judged by systemd itself, as they are installed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, run_command, write_project

ANALYZE = shutil.which("systemd-analyze")
pytestmark = pytest.mark.skipif(
    ANALYZE is None and "CI" not in os.environ, reason="systemd-analyze is not installed"
)
ALL = ["--run-as", "ml", "--read", "/home/ml/env", "--write", "/srv/x", "--hooks-may-listen"]


def installed(root: Path, *words: str) -> Path:
    """The file of a unit as `service install` writes it; its drop-in lies beside it."""
    done = run_command("service", "install", "--json", "--root", str(root), *words, cwd=root)
    assert done.returncode == 0, done.stderr
    return root / str(json.loads(done.stdout)["written"][0]).removeprefix("/")


def analyze(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ANALYZE or "systemd-analyze", *map(str, words)], capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("words", "most"),
    [([], 1.3), (["--gpu"], 1.5), (["--unit", "alectio-agent@"], 1.3),
     (["--unit", "alectio-agent@", "--gpu"], 1.5), (["--unit", "alectio-hub"], 1.3)],
)  # fmt: skip
def test_the_unit_is_clean_and_closed(tmp_path: Path, words: list[str], most: float) -> None:
    file = installed(tmp_path, *words)
    verified = analyze("verify", file)
    assert (verified.returncode, verified.stderr) == (0, "")
    scored = analyze("security", "--offline=true", file).stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", scored)
    assert found is not None, scored
    assert float(found[1]) <= most
    assert "DeviceAllow" in scored


def test_the_drop_in_is_read_with_the_unit(tmp_path: Path) -> None:
    """Else the scores above would be those of the unit alone."""
    scored = analyze("security", "--offline=true", installed(tmp_path, "--gpu")).stdout
    assert "✗ PrivateDevices=" in scored


def test_all_options_together_are_clean(tmp_path: Path) -> None:
    verified = analyze("verify", installed(tmp_path, "--gpu", *ALL))
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_mistake_in_a_unit_would_be_found(tmp_path: Path) -> None:
    file = installed(tmp_path)
    file.write_text(file.read_text().replace("PrivateTmp=yes", "PrivateTemp=yes"))
    assert "PrivateTemp" in analyze("verify", file).stderr


def test_a_hub_in_the_box_is_refused_inside_the_unit(tmp_path: Path) -> None:
    write_project(tmp_path, hooks=HOOKS)
    done = run_command("run", cwd=tmp_path, environment={"ALECTIO_UNIT": "alectio-agent.service"})
    assert done.returncode == 78
    assert "E-SVC-04" in done.stderr
    assert "alectio-agent service install --unit alectio-hub" in done.stderr
    assert not (tmp_path / "results").exists()
