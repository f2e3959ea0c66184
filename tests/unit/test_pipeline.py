"""`alectio_agent.Pipeline` outside of the hook process."""

import functools
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from alectio_agent import pipeline
from alectio_agent.cli import handover
from alectio_agent.cli.handover import Handover, command, hand_over
from alectio_agent.core.errors import ConfigError, HookLoadError
from alectio_agent.pipeline import Pipeline, prepare_script

TEXT = """
def train(payload): pass
def test(payload): pass
def infer(payload): pass
if __name__ == "__main__":
    pass
"""
GUARDED, SEEN = 6, 2


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A main module made from a script."""
    file = tmp_path / "main.py"
    file.write_text(TEXT)
    module = ModuleType("__main__")
    exec(compile(TEXT, str(file), "exec"), vars(module))
    module.__file__ = str(file)
    module.__spec__ = None
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.setattr(sys, "argv", ["main.py", "--flag", "x"])
    return module


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines that this process would have become."""
    found: list[list[str]] = []

    def execv(_: str, words: list[str]) -> None:
        found.append(words)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    return found


def functions(main: ModuleType, **others: Any) -> dict[str, Any]:
    return {"train": main.train, "test": main.test, "infer": main.infer, **others}


def words(main: ModuleType, line: int | None = SEEN, **told: Any) -> list[str]:
    made = Handover(
        told.pop("name", "My Topic"), functions(main, **told.pop("functions", {})),
        told.pop("args", {}), line,
    )  # fmt: skip
    return command(made, Path(main.__file__ or ""), main, ["--flag", "x"])


class TestCalling:
    def make(self, main: ModuleType, **more: Any) -> Pipeline:
        return Pipeline("n", main.train, main.test, main.infer, **more)

    def test_it_becomes_the_agent_for_this_script(
        self, main: ModuleType, replaced: list[list[str]]
    ) -> None:
        with pytest.raises(SystemExit):
            self.make(main)()
        assert replaced[0][:5] == [sys.executable, "-P", "-m", "alectio_agent", "run"]
        assert replaced[0][-3:] == ["--", "--flag", "x"]

    def test_run_is_the_same(self, main: ModuleType, replaced: list[list[str]]) -> None:
        with pytest.raises(SystemExit):
            self.make(main).run(port=5000)
        assert len(replaced) == 1

    def test_a_token_is_said_and_passed_on_nowhere(
        self,
        main: ModuleType,
        replaced: list[list[str]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        made = self.make(main, token="t0psecret")
        with pytest.raises(SystemExit):
            made()
        said = capsys.readouterr().err
        assert "token" in said
        assert "t0psecret" not in said + repr(replaced) + repr(vars(made)) + repr(dict(os.environ))

    def test_what_is_not_needed_is_said_once(
        self, main: ModuleType, replaced: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = self.make(main, multi_gpu=True)
        with pytest.raises(SystemExit):
            made("0.0.0.0", debug=True, port=5000, threads=3)
        assert capsys.readouterr().err.splitlines() == [
            "alectio-agent: Pipeline() has no multi_gpu: ignored.",
            "alectio-agent: debug, port: no longer needed, nothing listens on a port any more.",
            "alectio-agent: calling a Pipeline takes no threads: ignored.",
        ]

    def test_an_error_is_a_message_and_its_exit_code(
        self, main: ModuleType, replaced: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            Pipeline("n", main.train, main.test)()
        assert ended.value.code == 78
        assert capsys.readouterr().err.startswith("E-HOOK-03  Pipeline(...) was given no infer_fn")
        assert replaced == []


class TestCommand:
    def test_a_pipeline_at_the_top_level_registers_itself_in_the_hook_process(
        self, main: ModuleType
    ) -> None:
        assert words(main) == [
            "run", "--script", main.__file__, "--pipeline", "my-topic", "--made-at", "2:0",
            "--", "--flag", "x",
        ]  # fmt: skip

    @pytest.mark.parametrize("line", [GUARDED, None])
    def test_one_that_the_hook_process_does_not_meet_is_told(
        self, main: ModuleType, line: int | None
    ) -> None:
        told = words(main, line)
        assert [told[n + 1] for n, word in enumerate(told) if word == "--hook"] == [
            "train=train", "test=test", "infer=infer",
        ]  # fmt: skip

    def test_functions_of_other_modules_and_other_names(self, main: ModuleType) -> None:
        main.rows = functools.partial(main.infer)
        told = words(main, None, functions={"test": json.dumps, "infer": main.rows})
        assert "test=json:dumps" in told
        assert "infer=rows" in told

    @pytest.mark.parametrize("line", [GUARDED, None])
    def test_a_function_without_a_name_is_refused_where_no_import_meets_it(
        self, main: ModuleType, line: int | None
    ) -> None:
        with pytest.raises(HookLoadError, match=r"^E-HOOK-03  infer_fn is a partial") as refused:
            words(main, line, functions={"infer": functools.partial(main.infer)})
        assert "with `def`" in refused.value.hint

    def test_one_at_the_top_level_needs_no_name(self, main: ModuleType) -> None:
        assert "--made-at" in words(main, functions={"infer": functools.partial(main.infer)})

    def test_args_go_through_a_file_and_not_the_command_line(self, main: ModuleType) -> None:
        told = words(main, GUARDED, args={"rate": 0.5, "secret": "s3cr3t"})
        assert "s3cr3t" not in repr(told)
        number = int(told[told.index("--args-fd") + 1])
        assert os.get_inheritable(number)
        with os.fdopen(number) as file:
            assert json.load(file) == {"rate": 0.5, "secret": "s3cr3t"}

    def test_args_that_another_process_cannot_be_told_are_named(
        self, main: ModuleType, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = words(main, GUARDED, args={"rate": 0.5, "net": object()})
        with os.fdopen(int(told[told.index("--args-fd") + 1])) as file:
            assert json.load(file) == {"rate": 0.5}
        assert "args['net'] is a object" in capsys.readouterr().err

    def test_numbers_of_numpy_are_told_as_numbers(self, main: ModuleType) -> None:
        told = words(main, GUARDED, args={"rate": np.float32(0.5), "sizes": [np.int64(3)]})
        with os.fdopen(int(told[told.index("--args-fd") + 1])) as file:
            assert json.load(file) == {"rate": 0.5, "sizes": [3]}

    def test_without_a_name_the_scripts_is_taken(self, main: ModuleType) -> None:
        assert words(main, name=None)[4] == "main"

    def test_a_module_names_its_functions_with_itself(self, main: ModuleType) -> None:
        main.__spec__ = type("Spec", (), {"name": "pkg.main"})  # type: ignore[assignment]
        told = words(main, GUARDED)
        assert told[told.index("--module") + 1] == "pkg.main"
        assert "train=pkg.main:train" in told

    def test_a_module_with_a_pipeline_at_the_top_level_registers_it_too(
        self, main: ModuleType
    ) -> None:
        main.__spec__ = type("Spec", (), {"name": "pkg.main"})  # type: ignore[assignment]
        told = words(main)
        assert told[told.index("--made-at") + 1] == "2:0"
        assert "--hook" not in told


class TestRefusals:
    def test_a_prompt_has_no_script(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        with pytest.raises(ConfigError, match="E-RUN-06") as refused:
            hand_over(Handover("n", {}, {}, None))
        assert "alectio-agent init . --from main.py" in refused.value.hint

    def test_a_script_that_was_piped_in_is_none(
        self, main: ModuleType, replaced: list[list[str]]
    ) -> None:
        main.__file__ = "<stdin>"
        with pytest.raises(ConfigError, match="E-RUN-06"):
            hand_over(Handover("n", functions(main), {}, None))

    @pytest.mark.parametrize("kind", ["lambda", "nested", "no function", "signature"])
    def test_functions_that_no_other_process_can_call(
        self, main: ModuleType, replaced: list[list[str]], kind: str
    ) -> None:
        def nested(payload: Any) -> None: ...

        wrong = {
            "lambda": (lambda payload: None, "is a lambda"),
            "nested": (nested, "is a nested function"),
            "no function": (3, "is a int; expected a function"),
            "signature": (handover.command, "expected test(payload) or"),
        }[kind]
        with pytest.raises(HookLoadError, match=r"^E-HOOK-03  ") as refused:
            hand_over(Handover("n", functions(main, test=wrong[0]), {}, None))
        assert wrong[1] in str(refused.value)
        assert replaced == []


class TestFolders:
    @pytest.fixture(autouse=True)
    def unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("EXPT_DIR", "LOG_DIR"):
            monkeypatch.setenv(name, "")  # remembers the value to bring back
            monkeypatch.delenv(name)

    def test_a_script_gets_the_folders_that_it_reads_at_import(
        self, main: ModuleType, tmp_path: Path
    ) -> None:
        prepare_script()
        assert os.environ["EXPT_DIR"] == str(tmp_path / "checkpoints")
        assert os.environ["LOG_DIR"] == str(tmp_path / "checkpoints/log")
        assert (tmp_path / "checkpoints/log").is_dir()

    def test_folders_that_are_set_stay(
        self, main: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EXPT_DIR", str(tmp_path / "mine"))
        prepare_script()
        assert os.environ["EXPT_DIR"] == str(tmp_path / "mine")
        assert os.environ["LOG_DIR"] == str(tmp_path / "mine/log")
        assert not (tmp_path / "checkpoints").exists()

    @pytest.mark.parametrize("place", ["site-packages/pytest/__main__.py", "venv/bin/pytest"])
    def test_an_installed_command_gets_none(
        self, main: ModuleType, tmp_path: Path, place: str
    ) -> None:
        """Whoever only looks at the name, as documentation tools do, gets no folders."""
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
        main.__file__ = str(tmp_path / place)
        prepare_script()
        assert "EXPT_DIR" not in os.environ

    def test_a_read_only_folder_is_no_reason_to_stop(
        self, main: ModuleType, tmp_path: Path
    ) -> None:
        (tmp_path / "checkpoints").touch()
        prepare_script()
        assert os.environ["EXPT_DIR"] == str(tmp_path / "checkpoints")


def test_a_pipeline_knows_where_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    here = sys.modules[__name__]
    assert Pipeline("n")._line is None, "in a function"
    monkeypatch.setitem(sys.modules, "__main__", here)
    scope = vars(here)
    exec("\n\nMADE = Pipeline('n')", scope)
    assert scope.pop("MADE")._line == 3
    exec("MADE = []\nfor n in 'ab':\n    MADE.append(Pipeline(n))", scope)
    assert [made._nth for made in scope.pop("MADE")][-1] >= 1, "one line makes several"


def test_importing_it_is_cheap() -> None:
    assert not hasattr(pipeline, "click")
    assert not hasattr(pipeline, "hand_over")
