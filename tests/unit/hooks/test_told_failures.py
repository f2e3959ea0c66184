"""What people read when a hook fails."""

import bdb
import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.hooks.child import helpers, start
from alectio_agent.agent.hooks.child.failures import ContractError, LoadError, tell_failure
from alectio_agent.agent.hooks.child.helpers import CheckpointMissing, Stopped
from alectio_agent.agent.hooks.child.ownership import OwnFiles
from alectio_agent.agent.hooks.failures import Scene, mend, to_crash, to_error
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import (
    CheckpointError,
    HookError,
    HookInterruptedError,
    HookLoadError,
    HookRaisedError,
    HookResultError,
)

HOOKS = "/srv/xray/processes.py"
LIBRARY = "/srv/xray/.venv/lib/python3.11/site-packages/torch/nn.py"


def raised(error: BaseException, *files: str) -> BaseException:
    """The error as user code in these files would raise it, the outermost first."""
    names: dict[str, Any] = {"error": error}
    previous = "raise error"
    for number, file in enumerate(reversed(files)):
        source = f"\n\ndef step{number}():\n    {previous}\n"
        exec(compile(source, file, "exec"), names)
        previous = f"step{number}()"
    with pytest.raises(type(error)) as caught:
        exec(previous, names)
    return caught.value


def tell(error: BaseException, *, loading: bool = False) -> dict[str, Any]:
    return tell_failure(error, OwnFiles(["/srv/xray"]), loading=loading)


class TestTelling:
    def test_the_deepest_line_of_the_user_is_named(self) -> None:
        told = tell(raised(ValueError("bad"), HOOKS, "/srv/xray/network.py", LIBRARY))
        assert told["message"] == "/srv/xray/network.py:4 in step1: ValueError: bad"
        assert told["kind"] == "raised"

    def test_a_library_is_named_when_nothing_else_is_there(self) -> None:
        told = tell(raised(ValueError("bad"), LIBRARY))
        assert told["message"] == f"{LIBRARY}:4 in step0: ValueError: bad"

    def test_an_exception_without_text_is_named_by_its_type(self) -> None:
        assert tell(raised(KeyError(), HOOKS))["message"].endswith("in step0: KeyError")

    def test_a_long_text_is_cut(self) -> None:
        assert len(tell(raised(ValueError("x" * 10**6), HOOKS))["message"]) < 2100

    def test_text_that_no_file_could_take_is_cleaned(self) -> None:
        assert "bad ?" in tell(raised(ValueError("bad \ud800"), HOOKS))["message"]

    def test_the_traceback_has_no_frame_of_this_package(self) -> None:
        def nested() -> BaseException:
            try:
                tell_failure(None, OwnFiles([]), loading=False)  # type: ignore[arg-type]
            except AttributeError as error:
                return error
            raise AssertionError

        cause = nested()
        assert any("failures.py" in f.filename for f in traceback.extract_tb(cause.__traceback__))
        error = ValueError("bad")
        error.__cause__ = cause
        trace = tell(raised(error, HOOKS))["traceback"]
        assert "child/failures.py" not in trace
        assert f'File "{HOOKS}", line 4, in step0' in trace
        assert "direct cause" in trace

    def test_a_hook_that_stops_because_it_was_asked_has_not_failed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = threading.Event()
        asked.set()
        monkeypatch.setattr(helpers, "STOP_WISH", asked)
        told = tell(raised(Stopped(), HOOKS))
        assert (told["kind"], "traceback" in told) == ("stopped", False)

    def test_a_hook_that_stops_unasked_has_failed(self) -> None:
        told = tell(raised(Stopped("tired"), HOOKS))
        assert (told["kind"], told["cause"]) == ("raised", "stopped")
        assert "Stopped: tired" in told["traceback"]

    def test_a_checkpoint_that_is_missing_has_a_kind_of_its_own(self) -> None:
        assert tell(raised(CheckpointMissing("lost"), HOOKS))["kind"] == "checkpoint"

    def test_a_broken_contract_has_no_traceback(self) -> None:
        told = tell(ContractError("wrong", "found 3", code="E-HOOK-04"))
        assert told == {
            "kind": "contract", "message": "wrong", "detail": "found 3", "code": "E-HOOK-04",
        }  # fmt: skip

    def test_a_module_that_is_missing_is_named_with_its_line(self) -> None:
        error = ModuleNotFoundError("No module named 'torch'", name="torch.nn")
        told = tell(raised(error, HOOKS), loading=True)
        assert told["missing"] == "torch"
        assert told["place"].startswith(f"{HOOKS}:4 `")

    def test_a_variable_that_is_not_set_is_known_as_one(self) -> None:
        def look() -> str:
            return os.environ["NO_SUCH_VARIABLE"]

        with pytest.raises(KeyError) as failed:
            look()
        assert tell(failed.value, loading=True)["cause"] == "variable"
        assert "cause" not in tell(raised(KeyError("DATA"), HOOKS), loading=True)

    def test_a_breakpoint_that_was_forgotten_is_known_as_one(self) -> None:
        assert tell(raised(bdb.BdbQuit(), HOOKS))["cause"] == "breakpoint"

    def test_a_syntax_error_is_named_by_its_own_line(self) -> None:
        with pytest.raises(SyntaxError) as failed:
            compile("x = (\ny = 1\n", HOOKS, "exec")
        told = tell(failed.value, loading=True)
        assert told["message"].startswith(f"{HOOKS}:1: SyntaxError: ")


class TestErrors:
    @pytest.fixture
    def scene(self, tmp_path: Path) -> Scene:
        settings = PipelineSettings(hooks=tmp_path / "p.py", cwd=tmp_path)
        return Scene("xray/3 infer", "infer", "xray", settings, tmp_path / "job.log")

    def test_a_script_that_lacks_its_arguments_is_told_where_they_go(self, scene: Scene) -> None:
        """argparse ends the process when it finds none."""
        found = to_error({"kind": "load_raised", "message": "p.py:4: SystemExit: 2"}, scene)
        assert "sys.argv go into pipelines.xray.argv" in found.hint
        assert str(scene.log_file) in found.hint

    def test_stopping_unasked_is_a_mistake_of_its_own(self, scene: Scene) -> None:
        told = {"kind": "raised", "message": "p.py:3 in train: Stopped", "cause": "stopped"}
        error = to_error(told, scene)
        assert (type(error), error.failure_class) == (HookRaisedError, "user_code")
        said = "E-HOOK-17  p.py:3 in train: Stopped\nNobody asked it to stop: raise Stopped only"
        assert str(error).startswith(said)

    @pytest.mark.parametrize("kind", ["raised", "load_raised"])
    @pytest.mark.parametrize(
        ("cause", "said"),
        [("variable", "pipelines.xray.env"), ("breakpoint", "alectio-agent try --pdb")],
    )
    def test_what_many_have_met_is_told_with_its_mend(
        self, scene: Scene, kind: str, cause: str, said: str
    ) -> None:
        assert said in to_error({"kind": kind, "message": "p.py:4: no", "cause": cause}, scene).hint

    def test_hooks_that_are_not_there_are_named_with_key_and_nearest_file(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        (tmp_path / "p2.py").touch()
        (tmp_path / "p2.txt").touch()
        found = to_error({"kind": "load", "message": f"{tmp_path}/p.py: no such file"}, scene)
        expected = f"pipelines.xray.hooks: {tmp_path}/p.py: no such file. Did you mean p2.py?"
        assert expected in found.message

    @pytest.mark.parametrize(
        ("told", "kind", "failure_class", "said"),
        [
            ({"kind": "raised", "message": "p.py:3 in infer: ValueError: bad"}, HookRaisedError,
             "user_code", "p.py:3 in infer: ValueError: bad"),
            ({"kind": "checkpoint", "message": "p.py:3 in infer: CheckpointMissing"},
             CheckpointError, "checkpoint", "CheckpointMissing"),
            ({"kind": "stopped", "message": "p.py:3 in train: Stopped"}, HookInterruptedError,
             "interrupted", "xray/3 infer: stopped at a checkpoint"),
            ({"kind": "load", "message": "found no function"}, HookLoadError, "user_code",
             "E-HOOK-03  found no function"),
            ({"kind": "load_raised", "message": "p.py:1: OSError"}, HookLoadError, "user_code",
             "E-HOOK-01  p.py:1: OSError"),
            ({"kind": "old_python", "message": "3.8"}, HookLoadError, "user_code",
             "is Python 3.8 (pipelines.xray.python is not set); hooks need 3.9 or newer"),
            ({"kind": "contract", "message": "2 rows", "detail": "found x", "code": "E-HOOK-06"},
             HookResultError, "contract", "E-HOOK-06  xray/3 infer: 2 rows. train and test are "
             "kept. Mend it, then: alectio-agent experiment retry xray (with "
             "the hub in the box: alectio-agent run)"),
        ],
    )  # fmt: skip
    def test_each_kind_has_its_error(
        self,
        scene: Scene,
        told: dict[str, Any],
        kind: type[HookError],
        failure_class: str,
        said: str,
    ) -> None:
        error = to_error(told, scene)
        assert type(error) is kind
        assert error.failure_class == failure_class
        assert said in error.message

    def test_what_was_found_stands_in_the_hint(self, scene: Scene) -> None:
        told = {"kind": "contract", "message": "m", "detail": "found Smith", "code": "E-HOOK-06"}
        error = to_error(told, scene)
        assert error.hint == "found Smith"
        assert "Smith" not in error.message

    def test_a_missing_module_names_the_interpreter_and_the_key(
        self, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        told = {
            "kind": "load_raised", "message": "x", "missing": "no_such_thing_at_all",
            "place": "/srv/p.py:3 `import no_such_thing_at_all`", "traceback": "T",
        }  # fmt: skip
        error = to_error(told, scene)
        assert error.message == (
            "E-HOOK-01  /srv/p.py:3 `import no_such_thing_at_all`: not installed in "
            f"{sys.executable} (pipelines.xray.python is not set)."
        )
        assert "or set pipelines.xray.python to an interpreter that has it" in error.hint
        conda = tmp_path / "miniconda3/envs/deep"
        (conda / "lib/python3.11/site-packages/no_such_thing_at_all").mkdir(parents=True)
        (conda / "bin").mkdir()
        (conda / "bin/python").touch()
        assert to_error(told, scene).hint == (
            f"Found no_such_thing_at_all in {conda}. Set pipelines.xray.python: {conda}/bin/python"
        )

    def test_a_crash_names_log_and_the_usual_killer(self, scene: Scene) -> None:
        error = to_crash(-9, "was killed by SIGKILL", scene)
        assert error.message == "xray/3 infer: the hook process was killed by SIGKILL"
        assert "memory" in error.hint
        assert "job.log" in error.hint
        assert "memory" not in to_crash(1, "ended", scene).hint

    def test_a_python_that_is_too_old_is_told_before_anything_is_imported(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(start, "OLDEST", (99, 0))
        read, write = os.pipe()
        start.main(-1, write, -1)
        told = json.loads(os.read(read, 1000))
        os.close(read)
        os.close(write)
        found = "{}.{}".format(*sys.version_info[:2])
        assert told == {"report": "failed", "kind": "old_python", "message": found}

    def test_errors_of_loading_can_be_told_too(self) -> None:
        assert tell(LoadError("no function")) == {"kind": "load", "message": "no function"}

    def test_a_crash_says_what_happens_next(self, scene: Scene) -> None:
        error = to_crash(-9, "was killed (signal 9)", scene)
        assert "memory runs out" in error.hint
        assert "It is tried again by itself" in error.hint
        assert "alectio-agent experiment retry xray" in error.hint

    def test_outside_of_a_job_there_is_nothing_to_retry(self) -> None:
        assert mend("pipelines.xray.hooks") == "Mend it, then run again"
