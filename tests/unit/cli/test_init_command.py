"""`init` on the command line: what it writes, what it refuses."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from alectio_agent.agent.hooks.child.constants import TASKS
from alectio_agent.cli.init_files import Draft, write_all
from alectio_agent.cli.init_starter import STARTERS, starter
from alectio_agent.cli.main import main
from alectio_agent.cli.settings import load_agent_file, load_experiment_file
from alectio_agent.core.errors import ConfigError, UsageError

SCRIPT = """import os
from alectio_sdk.flask_wrapper import Pipeline
DATA, KEY = os.environ["DATA_DIR"], os.environ["SERVICE_KEY"]
EXPT_DIR = os.environ["EXPT_DIR"]
ZONE = os.getenv("ZONE", "a")
def train(payload): pass
def test(payload): pass
def infer(payload): pass
app = Pipeline(name="topic classification", train_fn=train, test_fn=test, infer_fn=infer)
app(debug=True)
"""
GUARDED = SCRIPT.replace("app = ", 'if __name__ == "__main__":\n    app = ').replace(
    "\napp(", "\n    app("
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "SERVICE_KEY", "EXPT_DIR", "ZONE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def init(*words: str) -> Result:
    return CliRunner().invoke(main, ["init", *words])


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


FILES = {"agent.yaml", "experiment.yaml", "processes.py", ".gitignore"}


@pytest.mark.parametrize("task", TASKS)
def test_the_files_for_each_task_load(here: Path, task: str) -> None:
    made = init("first try", "--task", task)
    assert made.exit_code == 0, made.output
    folder = here / "first try"
    assert written(folder) == FILES
    settings, _ = load_agent_file(folder / "agent.yaml")
    experiment = load_experiment_file(folder / "experiment.yaml")
    assert list(settings.pipelines) == ["first-try"]
    assert experiment.task == task
    assert settings.experiment == folder / "experiment.yaml"


def test_each_task_has_a_starter_and_no_other() -> None:
    assert tuple(STARTERS) == TASKS
    for task in TASKS:
        assert "YOURS" in starter(task)
        assert "resume_from" in starter(task)


def test_the_next_commands_are_named(here: Path) -> None:
    made = init("my project")
    assert "cd 'my project'\n" in made.stderr
    assert "alectio-agent try" in made.stderr
    assert "alectio-agent run" in made.stderr
    assert made.stdout.splitlines()[0] == "wrote my project/agent.yaml"
    (here / "here").mkdir()
    os.chdir(here / "here")
    assert "cd " not in init(".").stderr


def test_the_folder_may_be_new_with_those_above_it(here: Path) -> None:
    assert init("a/b/c").exit_code == 0
    assert written(here / "a/b/c") == FILES


@pytest.mark.parametrize("name", ["agent.yaml", "experiment.yaml", "processes.py"])
def test_nothing_is_overwritten(here: Path, name: str) -> None:
    (here / name).write_text("mine")
    refused = init(".")
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"E-INIT-01  {name} is there already; nothing was written")
    assert written(here) == {name}
    assert (here / name).read_text() == "mine"


def test_all_files_that_are_in_the_way_are_named(here: Path) -> None:
    (here / "agent.yaml").touch()
    (here / "processes.py").symlink_to("nowhere")
    refused = init(".")
    assert "agent.yaml, processes.py are there already" in refused.stderr
    assert written(here) == {"agent.yaml", "processes.py"}


def test_an_ignore_file_stays_and_is_said(here: Path) -> None:
    (here / ".gitignore").write_text("*.pyc\n")
    made = init(".")
    assert made.exit_code == 0
    assert "let it ignore .alectio/, results/, checkpoints/" in made.stderr
    assert (here / ".gitignore").read_text() == "*.pyc\n"


def test_a_second_init_is_refused(here: Path) -> None:
    assert init(".").exit_code == 0
    assert init(".").exit_code == 2


def test_a_file_is_no_folder(here: Path) -> None:
    (here / "taken").touch()
    refused = init("taken")
    assert refused.exit_code == 2
    assert "taken is a file; expected a folder" in refused.stderr


def test_what_was_written_is_taken_back_when_a_file_fails(here: Path) -> None:
    """`b/c` cannot be written: there is no folder b."""
    with pytest.raises(UsageError, match=r"E-DISK-01.*nothing was written"):
        write_all(here / "new" / "inner", {"a": "1", "b/c": "2"})
    assert written(here) == set()


def test_a_file_that_appears_meanwhile_is_not_overwritten(here: Path) -> None:
    (here / "b").write_text("theirs")
    with pytest.raises(UsageError, match="E-INIT-01"):
        write_all(here, {"a": "1", "b": "2"})
    assert written(here) == {"b"}
    assert (here / "b").read_text() == "theirs"


def test_the_text_of_a_draft_may_be_anything_that_utf_8_can_hold(here: Path) -> None:
    write_all(here, Draft({"a": "Grüße, 主题"}).files)
    assert (here / "a").read_text(encoding="utf-8") == "Grüße, 主题"


def test_results_are_json_for_programs(here: Path) -> None:
    (here / "main.py").write_text(SCRIPT)
    told = json.loads(init(".", "--from", "main.py", "--json").stdout)
    assert told["files"] == ["agent.yaml", "experiment.yaml", ".gitignore"]
    assert {gap["file"] for gap in told["fill_in"]} == {"agent.yaml", "experiment.yaml"}


class TestPython:
    def test_an_interpreter_is_written_down_absolutely(self, here: Path) -> None:
        (here / "venv/bin").mkdir(parents=True)
        (here / "venv/bin/python").symlink_to(sys.executable)
        assert init("a", "--python", "venv").exit_code == 0
        assert init("b", "--python", "venv/bin/python").exit_code == 0
        for name in ("a", "b"):
            found = load_agent_file(here / name / "agent.yaml")[0].pipelines[name].python
            assert found == here / "venv/bin/python", "a link makes the environment: not followed"

    def test_a_command_is_looked_up(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (here / "bin").mkdir()
        (here / "bin/mypython").symlink_to(sys.executable)
        monkeypatch.setenv("PATH", str(here / "bin"))
        assert init("a", "--python", "mypython").exit_code == 0
        found = load_agent_file(here / "a/agent.yaml")[0].pipelines["a"].python
        assert found == here / "bin/mypython"

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            ("#!/bin/sh\necho '[3, 8]'\n", "is Python 3.8; hooks need 3.9 or newer"),
            ("#!/bin/sh\necho hello\n", "is no Python that runs"),
            ("#!/bin/sh\necho 'library missing' >&2\nexit 127\n", "that runs: library missing"),
            ("#!/no/such/interpreter\n", "is no Python that runs"),
        ],
    )
    def test_what_cannot_run_hooks_is_refused(self, here: Path, script: str, said: str) -> None:
        (here / "python").write_text(script)
        (here / "python").chmod(0o755)
        refused = init("a", "--python", "./python")
        assert refused.exit_code == 78
        assert refused.stderr.startswith("E-HOOK-02  --python: ")
        assert said in refused.stderr
        assert not (here / "a").exists()

    @pytest.mark.parametrize("named", ["none", "./none", "", "empty"])
    def test_what_is_not_there_is_refused(self, here: Path, named: str) -> None:
        (here / "empty").mkdir()
        refused = init("a", "--python", named)
        assert refused.exit_code == 78
        assert "E-HOOK-02" in refused.stderr
        assert not (here / "a").exists()

    def test_a_file_that_may_not_be_executed_is_refused(self, here: Path) -> None:
        (here / "python").write_text("#!/bin/sh\n")
        assert not (here / "python").stat().st_mode & stat.S_IXUSR
        refused = init("a", "--python", "./python")
        assert "Permission denied" in refused.stderr


class TestFrom:
    def made(self, here: Path, script: str, *words: str) -> tuple[dict, Result]:
        (here / "main.py").write_text(script)
        result = init(".", "--from", "main.py", *words)
        assert result.exit_code == 0, result.output
        load_agent_file(here / "agent.yaml")
        file = here / "experiment.yaml"
        if "classes: null" in file.read_text():
            with pytest.raises(ConfigError, match=r"experiment\.yaml:4 classes: missing"):
                load_experiment_file(file)
            file.write_text(file.read_text().replace("classes: null", "classes: 4"))
        load_experiment_file(file)
        return yaml.safe_load((here / "agent.yaml").read_text())["pipelines"], result

    def test_two_files_around_the_script(self, here: Path) -> None:
        pipelines, _ = self.made(here, SCRIPT)
        assert written(here) == FILES - {"processes.py"} | {"main.py"}
        assert pipelines == {"topic-classification": {"hooks": "main.py", "pool_size": 1000}}
        experiment = load_experiment_file(here / "experiment.yaml")
        assert experiment.name == "topic-classification"

    def test_what_is_guessed_is_named_with_its_line(self, here: Path) -> None:
        _, made = self.made(here, SCRIPT)
        lines = (here / "agent.yaml").read_text().splitlines()
        number = next(n for n, line in enumerate(lines, 1) if "pool_size" in line)
        assert f"agent.yaml:{number}  pool_size: 1000   how many samples" in made.stderr
        assert "experiment.yaml:4  classes: null" in made.stderr

    def test_a_guarded_pipeline_becomes_a_mapping(self, here: Path) -> None:
        pipelines, made = self.made(here, GUARDED)
        functions = {step: step for step in ("train", "test", "infer")}
        assert pipelines["topic-classification"]["hooks"] == {"script": "main.py", **functions}
        assert "main guard" in made.stderr

    def test_variables_are_written_with_todays_value_but_no_secrets(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATA_DIR", "/data/it's: 1")
        monkeypatch.setenv("SERVICE_KEY", "sesame")
        monkeypatch.setenv("EXPT_DIR", "/old")
        pipelines, _ = self.made(here, SCRIPT)
        assert pipelines["topic-classification"]["env"] == {"DATA_DIR": "/data/it's: 1"}
        text = " ".join((here / "agent.yaml").read_text().split())
        assert "sesame" not in text
        assert "/old" not in text
        assert "# SERVICE_KEY: ..." in text
        assert "# EXPT_DIR: ... # main.py:4 reads it; the agent sets it" in text
        assert "# ZONE: ... # main.py:5 reads it; not set today, then 'a'" in text

    def test_a_variable_that_is_needed_and_not_set_is_to_be_filled_in(self, here: Path) -> None:
        _, made = self.made(here, SCRIPT)
        assert "DATA_DIR: ...   main.py:3 reads it, it is not set today" in made.stderr

    def test_a_token_is_named_and_written_nowhere(self, here: Path) -> None:
        _, made = self.made(here, SCRIPT.replace("infer_fn=infer", "infer_fn=infer, token='t0p'"))
        assert "! main.py:9 holds a token" in made.stderr
        assert "t0p" not in made.output
        for name in ("agent.yaml", "experiment.yaml"):
            assert "t0p" not in (here / name).read_text()

    def test_what_is_no_longer_needed_is_named(self, here: Path) -> None:
        _, made = self.made(here, SCRIPT)
        assert "No longer needed: debug." in made.stderr

    def test_literal_args_of_a_guarded_pipeline_are_copied_without_secrets(
        self, here: Path
    ) -> None:
        args = "args={'rate': 0.5, 'fast': True, 'api_key': 's3cr3t', 'odd': {1, 2}}"
        pipelines, made = self.made(
            here, GUARDED.replace("infer_fn=infer", f"infer_fn=infer, {args}")
        )
        found = pipelines["topic-classification"]["args"]
        assert found == {"rate": 0.5, "fast": True, "odd": None}
        assert "s3cr3t" not in (here / "agent.yaml").read_text() + made.output

    def test_args_that_the_script_registers_itself_are_not_doubled(self, here: Path) -> None:
        pipelines, _ = self.made(
            here, SCRIPT.replace("infer_fn=infer", "infer_fn=infer, args={'a': 1}")
        )
        assert "args" not in pipelines["topic-classification"]

    def test_a_state_function_counts_the_samples(self, here: Path) -> None:
        pipelines, _ = self.made(
            here, SCRIPT.replace("infer_fn=infer", "infer_fn=infer, getstate_fn=test")
        )
        assert "pool_size" not in pipelines["topic-classification"]

    def test_an_experiment_that_is_there_stays_and_counts(self, here: Path) -> None:
        text = "name: toy\nclasses: 3\nbatch: 5\nloops: 2\npool: 60\npipeline: mine\n"
        (here / "experiment.yaml").write_text(text)
        pipelines, made = self.made(here, SCRIPT)
        assert pipelines == {"mine": {"hooks": "main.py"}}
        assert (here / "experiment.yaml").read_text() == text
        assert "experiment.yaml is there already: it stays as it is" in made.stderr
        assert "wrote experiment.yaml" not in made.stdout

    @pytest.mark.parametrize("name", [".", "pkg"])
    @pytest.mark.parametrize("script", [SCRIPT, GUARDED])
    def test_a_script_of_a_package_works_where_the_package_lies(
        self, here: Path, script: str, name: str
    ) -> None:
        (here / "pkg").mkdir()
        (here / "pkg/__init__.py").touch()
        relative = "from .processes import test, infer"
        text = script.replace("def test(payload): pass", relative)
        (here / "pkg/main.py").write_text(text.replace("def infer(payload): pass", ""))
        made = init(name, "--from", "pkg/main.py")
        assert made.exit_code == 0, made.output
        found = load_agent_file(here / name / "agent.yaml")[0].pipelines["topic-classification"]
        assert found.cwd == here
        assert found.hooks_file == here / "pkg/main.py"

    def test_a_pipe_is_no_script(self, here: Path) -> None:
        os.mkfifo(here / "main.py")
        refused = init("new", "--from", "main.py")
        assert refused.exit_code == 2
        assert refused.stderr.startswith("E-INIT-02  main.py is no regular file")

    def test_of_several_pipelines_the_choice_and_the_others_are_named(self, here: Path) -> None:
        another = "Pipeline(name='B', train_fn=train, test_fn=test, infer_fn=infer)\napp(debug"
        pipelines, made = self.made(here, SCRIPT.replace("app(debug", another))
        assert list(pipelines) == ["topic-classification"]
        assert "Found in main.py:9" in made.stderr
        assert "makes further Pipelines (line 10 `B`)" in made.stderr

    def test_hints_are_taken_and_still_to_be_checked(self, here: Path) -> None:
        hints = "NUM_CLASSES = 4\nPOOL_SIZE = 400\n"
        pipelines, made = self.made(here, SCRIPT + hints)
        assert pipelines["topic-classification"]["pool_size"] == 400
        experiment = load_experiment_file(here / "experiment.yaml")
        assert (experiment.classes, experiment.batch) == (4, 20)
        assert "guessed from main.py:12 POOL_SIZE" in made.stderr

    def test_a_script_elsewhere_is_named_absolutely(self, here: Path) -> None:
        (here / "main.py").write_text(SCRIPT)
        assert init("new", "--from", "main.py").exit_code == 0
        found = load_agent_file(here / "new/agent.yaml")[0]
        assert found.pipelines["topic-classification"].hooks == here / "main.py"

    def test_a_task_that_is_given_is_no_guess(self, here: Path) -> None:
        _, made = self.made(here, SCRIPT, "--task", "regression")
        assert load_experiment_file(here / "experiment.yaml").task == "regression"
        assert "task:" not in made.stderr

    @pytest.mark.parametrize(
        ("script", "code"),
        [("print(1)\n", "E-INIT-02"), ("def (\n", "E-INIT-02"), (None, "E-INIT-02")],
    )
    def test_a_bad_script_writes_nothing(self, here: Path, script: str | None, code: str) -> None:
        if script is not None:
            (here / "main.py").write_text(script)
        before = written(here)
        refused = init("new", "--from", "main.py")
        assert refused.exit_code == 2
        assert refused.stderr.startswith(code)
        assert written(here) == before


@pytest.mark.parametrize("words", [[""], [" "], [".", "--task", "vision"], [], [".", "extra"]])
def test_a_wrong_command_line(here: Path, words: list[str]) -> None:
    refused = init(*words)
    assert refused.exit_code == 2
    assert "E-USE-01" in refused.stderr
    assert written(here) == set()
