"""Hooks that are not found: what was probably meant."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.child.failures import LoadError
from alectio_agent.agent.hooks.child.loading import load_hooks

TWO = "def train(payload): ...\ndef test(payload): ...\n"


def refused(folder: Path, source: str) -> str:
    """What is said about hooks with this text."""
    file = folder / "hooks-to-load.py"  # no name of a module: none is shadowed
    file.write_text(source)
    with pytest.raises(LoadError) as failed:
        load_hooks(str(file), [])
    return str(failed.value)


def test_a_misspelt_function_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, TWO + "def infere(payload): ...\n")
    assert "found no function `infer`. Found `infere`: did you mean `infer`?" in said
    assert "__main__" not in said


def test_without_a_similar_one_the_main_guard_is_explained(tmp_path: Path) -> None:
    said = refused(tmp_path, TWO + "infered = 3\n")
    assert "did you mean" not in said
    assert 'if __name__ == "__main__":' in said


def test_a_function_of_a_script_that_is_misspelt_is_named(tmp_path: Path) -> None:
    file = tmp_path / "hooks-of-script.py"
    file.write_text("def fit_model(payload): ...\n")
    names = {"train": "fit_modle", "test": "fit_model", "infer": "fit_model"}
    with pytest.raises(LoadError, match="Did you mean `fit_model`"):
        load_hooks(names, [], str(file))
