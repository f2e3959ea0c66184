"""Which of the Pipelines of a script the hook process takes."""

import sys
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.child.choosing import Start
from alectio_agent.agent.hooks.child.failures import LoadError
from alectio_agent.agent.hooks.child.loading import Hooks, load_hooks
from alectio_agent.agent.hooks.child.standins import Pipeline

FUNCTIONS = """
from alectio_agent.agent.hooks.child.standins import Pipeline
def train(payload): return "wrong"
def train_a(payload): return "A"
def train_b(payload): return "B"
def test(payload): pass
def infer(payload): pass
rest = {"test_fn": test, "infer_fn": infer}
"""
TWO = """a = Pipeline("Topic A", train_a, args={"who": "A"}, **rest)
b = Pipeline("Topic B", train_b, args={"who": "B"}, **rest)
"""
FIRST = FUNCTIONS.count("\n") + 1


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[Pipeline]:
    made: list[Pipeline] = []
    monkeypatch.setattr(Pipeline, "registered", made)
    return made


class Script:
    """A script that an import runs."""

    def __init__(self, file: Path, registered: list[Pipeline]) -> None:
        self.file = file
        self.registered = registered

    def load(self, text: str, name: str = "", start: Start | None = None) -> Hooks:
        self.file.write_text(FUNCTIONS + text)
        return load_hooks(str(self.file), self.registered, None, name, start)


@pytest.fixture
def script(tmp_path: Path, registered: list[Pipeline], monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return Script(tmp_path / "chosen_script.py", registered)


def trained(hooks: Hooks) -> object:
    return hooks.by_step["train"].function({})


@pytest.mark.parametrize(("line", "who"), [(FIRST, "A"), (FIRST + 1, "B")])
def test_the_one_that_was_called_runs(script: Script, line: int, who: str) -> None:
    found = script.load(TWO, start=Start(line=line))
    assert trained(found) == who
    assert found.args == {"who": who}


def test_a_line_may_make_several(script: Script) -> None:
    text = (
        "for n, f in enumerate([train_a, train_b]):\n    Pipeline('n', f, args={'n': n}, **rest)\n"
    )
    assert script.load(text, start=Start(line=FIRST + 1, nth=1)).args == {"n": 1}


def test_the_call_of_a_pipeline_that_no_import_makes_is_no_other_ones(script: Script) -> None:
    with pytest.raises(LoadError, match=rf":{FIRST + 5}: the Pipeline.* was called") as failed:
        script.load(TWO, start=Start(line=FIRST + 5))
    assert "top level" in str(failed.value)


def test_of_several_the_one_with_the_name_of_the_pipeline(script: Script) -> None:
    assert trained(script.load(TWO, "topic-a")) == "A"


def test_several_without_that_name_are_named(script: Script) -> None:
    with pytest.raises(LoadError, match="makes 2 Pipelines") as failed:
        script.load(TWO, "other")
    assert f"'Topic A' (line {FIRST}), 'Topic B' (line {FIRST + 1})" in str(failed.value)


def test_the_only_one_needs_no_name(script: Script) -> None:
    assert trained(script.load(TWO.splitlines()[0], "other")) == "A"


def test_functions_that_are_named_go_with_the_args_of_their_pipeline(
    script: Script, registered: list[Pipeline]
) -> None:
    script.file.write_text(FUNCTIONS + TWO)
    names = {"train": "train_a", "test": "test", "infer": "infer"}
    assert load_hooks(names, registered, str(script.file), "other").args == {"who": "A"}
    registered.clear()
    told = load_hooks(names, registered, str(script.file), "other", Start())
    assert told.args == {}, "a started script tells its args itself"


def test_a_module_is_imported_by_its_name(
    script: Script, tmp_path: Path, registered: list[Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "chosen_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "part.py").write_text("BATCH = 64\n")
    (package / "main.py").write_text(
        FUNCTIONS
        + "from .part import BATCH\nPipeline('n', train_b, args={'batch': BATCH}, **rest)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    start = Start("chosen_package.main", FIRST + 1)
    found = load_hooks(str(package / "main.py"), registered, None, "n", start)
    assert (trained(found), found.args) == ("B", {"batch": 64})


def test_a_file_with_relative_imports_is_imported_as_part_of_its_package(
    tmp_path: Path, script: Script, registered: list[Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "outer_package/inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package.parent / "part.py").write_text("WHO = 'part'\n")
    text = FUNCTIONS + "from ..part import WHO\nPipeline('n', train_b, args={'who': WHO}, **rest)\n"
    (package / "main.py").write_text(text)
    found = load_hooks(str(package / "main.py"), registered)
    assert (trained(found), found.args) == ("B", {"who": "part"})
    assert "outer_package.inner.main" in sys.modules
