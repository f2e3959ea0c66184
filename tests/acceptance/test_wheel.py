"""The wheel and the sdist: what is in them, and what a wheel alone can do."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from tests.support.debian import PROJECT, build_wheel

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

PACKAGE = PROJECT / "alectio_agent"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    """Also those that are no code: messages, templates, statics, what `init` writes."""
    expected = {
        str(file.relative_to(PROJECT))
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert "alectio_agent/core/errors.md" in expected
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (licence,) = (name for name in archive.namelist() if name.endswith("/LICENSE"))
        assert archive.read(licence) == (PROJECT / "LICENSE").read_bytes()
    assert names == expected


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        told = message_from_string(archive.read(name).decode())
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Requires-Python"] == ">=3.11"
    assert told["Description-Content-Type"] == "text/markdown"
    assert told.get_payload() == (PROJECT / "README.md").read_text()
    assert "Typing :: Typed" in told.get_all("Classifier", [])


def test_the_sdist_is_enough_to_build_and_test_everything(wheel: Path) -> None:
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        (script,) = (entry for entry in archive if entry.name.endswith("packaging/build-deb"))
    assert {
        "pyproject.toml", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "docs/install.md",
        "packaging/debian/rules", "tests/acceptance/test_wheel.py", "configs/agent-platform.yaml",
    } <= names  # fmt: skip
    assert script.mode & 0o111
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


def test_the_wheel_alone_makes_an_agent(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment; the hub's needs are not among the agent's."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile", wheel]
    subprocess.run(pip, check=True, capture_output=True)
    lean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [venv / "bin/alectio-agent", *words],
            cwd=tmp_path, env=lean, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert "Run active-learning loops beside the data" in run("--help")
    run("init", "project")
    assert "pip install 'alectio-agent[hub]'" in run("check", "-c", "project/agent.yaml", code=3)
    token = tmp_path / "token"
    token.write_text("alt_x")
    token.chmod(0o600)
    (tmp_path / "project/agent.yaml").write_text(
        "platform: {url: 'https://alectio.example.org', token_file: ../token}\n"
        "pipelines:\n  project: {hooks: processes.py}\n"
    )
    checked = run("check", "--offline", "-c", "project/agent.yaml")
    assert "train(payload), test(payload), infer(payload)" in checked
