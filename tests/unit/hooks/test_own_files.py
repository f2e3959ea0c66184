import sys
from pathlib import Path
from types import ModuleType

import pytest

from alectio_agent.agent.hooks.child.ownership import OwnFiles


@pytest.fixture
def own(tmp_path: Path) -> OwnFiles:
    return OwnFiles([str(tmp_path)])


def load(name: str, file: Path, patch: pytest.MonkeyPatch) -> None:
    module = ModuleType(name)
    module.__file__ = str(file)
    patch.setitem(sys.modules, name, module)


def test_a_module_that_a_step_imports_is_found(
    own: OwnFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own.imported() == []
    load("late_module", tmp_path / "late.py", monkeypatch)
    assert own.imported() == [str(tmp_path / "late.py")]


def test_a_module_under_the_name_of_another_is_found(
    own: OwnFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("late_module", tmp_path / "late.py", monkeypatch)
    own.imported()
    load("late_module", tmp_path / "other.py", monkeypatch)
    assert own.imported() == [str(tmp_path / "other.py")]
