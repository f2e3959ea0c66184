"""What real hook processes and a real git tell of a train run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.hooks import git_state
from alectio_agent.agent.hooks.git_state import GitState, ask_git
from alectio_agent.agent.hooks.provenance import Provenance
from tests.support.hook_runs import HOOKS, HookBench

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def bench(tmp_path: Path):
    made = HookBench(tmp_path)
    yield made
    made.close()


def trained(bench: HookBench, pipeline: Any, **changed: Any) -> Provenance:
    found = bench.run(pipeline, "train", **changed).provenance
    assert found is not None
    return found


def test_a_train_run_tells_its_code_interpreter_and_args(bench: HookBench) -> None:
    pipeline = bench.pipeline(args={"lr": 0.1, "names": ["a", "b"]})
    found = trained(bench, pipeline, loop=0)
    assert list(found.code.files) == ["processes.py"]
    assert found.python == pipeline.python
    assert found.interpreter["version"] == ".".join(map(str, sys.version_info[:3]))
    assert "pytest" in found.interpreter["packages"]
    assert found.args == {"lr": 0.1, "names": ["a", "b"]}


def test_other_steps_tell_nothing(bench: HookBench) -> None:
    pipeline = bench.pipeline()
    trained(bench, pipeline, loop=0)
    assert bench.run(pipeline, "test", loop=0).provenance is None
    assert bench.run(pipeline, "infer", loop=0).provenance is None


def test_args_are_told_as_they_were_before_the_hook_changed_them(bench: HookBench) -> None:
    hooks = HOOKS.replace(
        "def train(payload):\n", 'def train(payload):\n    payload["args"]["lr"] = "gone"\n'
    )
    assert trained(bench, bench.pipeline(hooks, args={"lr": 0.1}), loop=0).args == {"lr": 0.1}


def test_args_of_an_old_script_are_told_below_those_of_agent_yaml(bench: HookBench) -> None:
    script = HOOKS + (
        "from alectio_sdk.sdk import Pipeline\n"
        'Pipeline("x", train_fn=train, test_fn=test, infer_fn=infer, '
        'args={"lr": 1, "model": object(), "epochs": 5})\n'
    )
    found = trained(bench, bench.pipeline(script, args={"lr": 2}), loop=0)
    assert found.args == {"lr": 2, "model": "<object>", "epochs": 5}


def test_each_train_run_tells_the_code_that_it_ran_with(bench: HookBench) -> None:
    pipeline = bench.pipeline()
    folder = bench.folder / "processes"
    first = trained(bench, pipeline, loop=0)
    bench.run(pipeline, "test", loop=0)
    assert trained(bench, pipeline, loop=1).code == first.code
    bench.pipeline(HOOKS + "\nA = 1\n")
    (folder / "net.py").write_text("B = 1\n")
    changed = trained(bench, pipeline, loop=2).code
    assert set(changed.files) == {"net.py", "processes.py"}
    assert changed.files["processes.py"] != first.code.files["processes.py"]
    assert changed.digest != first.code.digest


@needs_git
class TestGit:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The hooks' folder inside a repository, committed."""
        hooks = tmp_path / "repository" / "hooks"
        hooks.mkdir(parents=True)
        (hooks / "processes.py").write_text("A = 1\n")
        run_git(hooks.parent, "init", "-q")
        run_git(hooks.parent, "add", ".")
        run_git(hooks.parent, "commit", "-q", "-m", "first")
        return hooks

    def test_the_commit_of_a_clean_folder(self, folder: Path) -> None:
        commit = run_git(folder, "rev-parse", "HEAD").strip()
        assert ask(folder) == GitState(commit, is_dirty=False)

    def test_an_edit_is_told(self, folder: Path) -> None:
        (folder / "processes.py").write_text("A = 2\n")
        found = ask(folder)
        assert found is not None
        assert found.is_dirty

    def test_a_source_file_that_was_never_added_is_told(self, folder: Path) -> None:
        (folder / "net.py").write_text("B = 1\n")
        found = ask(folder, "processes.py", "net.py")
        assert found is not None
        assert found.is_dirty

    def test_an_edit_elsewhere_in_the_repository_does_not_count(self, folder: Path) -> None:
        (folder.parent / "readme.txt").write_text("x")
        run_git(folder.parent, "add", ".")
        found = ask(folder)
        assert found is not None
        assert not found.is_dirty

    def test_a_repository_without_a_commit_has_none(self, tmp_path: Path) -> None:
        run_git(tmp_path, "init", "-q")
        assert ask(tmp_path) is None

    def test_variables_of_another_repository_do_not_count(self, folder: Path) -> None:
        assert ask(folder, GIT_DIR="/nowhere") is not None

    def test_looking_starts_no_program_of_the_repositorys(self, folder: Path) -> None:
        mark = folder / "ran"
        run_git(folder, "config", "core.fsmonitor", f"touch {mark}; false")
        assert ask(folder) is not None
        assert not mark.exists()


def test_a_folder_without_a_repository_has_no_commit(tmp_path: Path) -> None:
    assert ask(tmp_path) is None


def test_a_machine_without_git_has_no_commit(tmp_path: Path) -> None:
    assert ask_git({"PATH": str(tmp_path)}, tmp_path, ["processes.py"]) is None


def test_a_git_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 100\n")
    slow.chmod(0o755)
    monkeypatch.setattr(git_state, "PATIENCE_S", 0.1)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert ask_git({"PATH": path}, tmp_path, ["processes.py"]) is None


def ask(folder: Path, *sources: str, **more: str) -> GitState | None:
    """As an agent asks whose environment has no home and so no configuration of a person's."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", **more}
    return ask_git(environment, folder, sources or ("processes.py",))


def run_git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *named, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
