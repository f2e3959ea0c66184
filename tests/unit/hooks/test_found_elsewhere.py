"""Naming an interpreter that has the missing module."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.elsewhere import Places, find_elsewhere


def make_prefix(prefix: Path, module: str, version: str = "3.11", *, kind: str = "folder") -> Path:
    """An environment that has a module; gives its interpreter."""
    packages = prefix / f"lib/python{version}/site-packages"
    packages.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").touch()
    (prefix / "pyvenv.cfg").touch()
    if kind == "folder":
        (packages / module).mkdir()
    else:
        (packages / (module + kind)).touch()
    return prefix / "bin/python"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        (tmp_path / "project/code",), tmp_path / "home", tmp_path / "opt", tmp_path / "usr"
    )


def find(places: Places, tmp_path: Path) -> Path | None:
    return find_elsewhere("torch", tmp_path / "agent/venv/bin/python", places)


@pytest.mark.parametrize(
    "place",
    [
        "opt/conda", "opt/conda/envs/torch", "opt/miniforge3/envs/x", "home/miniconda3",
        "home/anaconda3/envs/deep", "home/.conda/envs/x", "home/.virtualenvs/x",
        "project/code/.venv", "project/venv", "agent/other-venv",
    ],
)  # fmt: skip
def test_the_usual_places_are_searched(places: Places, tmp_path: Path, place: str) -> None:
    assert find(places, tmp_path) is None
    made = make_prefix(tmp_path / place, "torch")
    assert find(places, tmp_path) == made


@pytest.mark.parametrize("kind", ["folder", ".py", ".cpython-311-x86_64-linux-gnu.so"])
def test_a_module_may_be_a_folder_or_a_file(places: Places, tmp_path: Path, kind: str) -> None:
    made = make_prefix(tmp_path / "opt/conda", "torch", kind=kind)
    assert find(places, tmp_path) == made


def test_an_environment_without_it_is_not_named(places: Places, tmp_path: Path) -> None:
    make_prefix(tmp_path / "opt/conda", "torchvision")
    assert find(places, tmp_path) is None


def test_a_python_that_is_too_old_is_not_named(places: Places, tmp_path: Path) -> None:
    make_prefix(tmp_path / "opt/conda", "torch", "3.8")
    assert find(places, tmp_path) is None


def test_the_nearest_is_named_and_never_the_one_that_lacks_it(
    places: Places, tmp_path: Path
) -> None:
    make_prefix(tmp_path / "opt/conda", "torch")
    make_prefix(tmp_path / "agent/venv", "torch")
    nearest = make_prefix(tmp_path / "project/code/.venv", "torch")
    assert find(places, tmp_path) == nearest


def test_the_systems_own_python_is_named_last(places: Places, tmp_path: Path) -> None:
    packages = tmp_path / "usr/lib/python3/dist-packages/torch"
    packages.mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/python3").touch()
    assert find(places, tmp_path) == tmp_path / "usr/bin/python3"
