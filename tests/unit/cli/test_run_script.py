"""Which configuration a script of the old SDK runs with."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.cli.run_script import ScriptRun
from alectio_agent.config.pipeline import HookFunctions, PipelineSettings, ScriptStart
from alectio_agent.core.errors import ConfigError

ONE = (
    "pipelines:\n  digits: {hooks: processes.py, pool_size: 9, args: {a: 1}}\nexperiment: e.yaml\n"
)
SEVERAL = """pipelines:
  digits: {hooks: processes.py}
  topic: {hooks: topic.py}
  old: {hooks: {script: src/main.py, train: train, test: test, infer: infer}}
experiment: e.yaml
"""
EXPERIMENT = "name: toy\nclasses: 3\nbatch: 5\nloops: 2\npool: 60\n"


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.py").touch()
    return tmp_path / "src/main.py"


def load(script: Path, name: str = "topic", **told: Any) -> tuple[str, PipelineSettings, Path]:
    """The one pipeline that runs the script, and the file."""
    run = ScriptRun(script, name, told.pop("hooks", {}), told.pop("args", {}), **told)
    settings, file = run.load(None)
    found = [
        (each, pipeline) for each, pipeline in settings.pipelines.items()
        if pipeline.hooks_file == script
    ]  # fmt: skip
    assert len(found) == 1
    return *found[0], file


def test_the_only_pipeline_is_meant_whatever_its_name(script: Path) -> None:
    Path("agent.yaml").write_text(ONE)
    name, pipeline, file = load(script, argv=("--flag", "x"))
    assert (name, file) == ("digits", Path.cwd() / "agent.yaml")
    assert pipeline.hooks == script
    assert pipeline.cwd == script.parent
    assert pipeline.argv == ["--flag", "x"]
    assert pipeline.pool_size == 9


def test_of_several_the_one_of_that_name(script: Path) -> None:
    Path("agent.yaml").write_text(SEVERAL.replace("src/main.py", "other.py"))
    assert load(script, "digits")[0] == "digits"


def test_of_several_the_one_with_that_script(script: Path) -> None:
    (script.parent / "agent.yaml").write_text(SEVERAL.replace("topic.py", "main.py"))
    assert load(script, "elsewhere")[0] == "topic"


def test_a_mapping_names_its_script_too(script: Path) -> None:
    Path("agent.yaml").write_text(SEVERAL)
    assert load(script, "elsewhere")[0] == "old"


def test_none_of_several_is_an_error_that_names_them(script: Path) -> None:
    Path("agent.yaml").write_text(SEVERAL.replace("src/main.py", "other.py"))
    with pytest.raises(ConfigError) as refused:
        load(script, "elsewhere")
    said = str(refused.value)
    assert said.startswith("E-RUN-06  agent.yaml has the pipelines digits, topic, old; expected")
    assert "`elsewhere`" in said
    assert "src/main.py" in said


def test_a_file_without_pipelines_gets_the_scripts(script: Path) -> None:
    Path("agent.yaml").write_text("experiment: e.yaml\n")
    assert load(script)[0] == "topic"


def test_a_broken_file_is_said_as_ever(script: Path) -> None:
    Path("agent.yaml").write_text(ONE + "nonsense: 1\n")
    with pytest.raises(ConfigError, match=r"E-CONF-02  agent\.yaml:4 nonsense"):
        load(script)


def test_a_file_beside_the_script_counts(script: Path) -> None:
    (script.parent / "agent.yaml").write_text(ONE)
    assert load(script)[2] == script.parent / "agent.yaml"


def test_an_experiment_beside_the_script_is_enough(script: Path) -> None:
    (script.parent / "experiment.yaml").write_text(EXPERIMENT)
    settings, file = ScriptRun(script, "topic", {}, {}).load(None)
    assert list(settings.pipelines) == ["topic"]
    assert settings.experiment == script.parent / "experiment.yaml"
    assert settings.agent.state_dir == script.parent / ".alectio"
    assert not file.exists()


def test_the_pipeline_that_the_experiment_names_is_the_scripts(script: Path) -> None:
    (script.parent / "experiment.yaml").write_text(EXPERIMENT + "pipeline: mine\n")
    assert load(script)[0] == "mine"


def test_a_platform_in_the_environment_is_enough(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALECTIO_AGENT_PLATFORM__URL", "https://hub.example.org")
    monkeypatch.setenv("ALECTIO_AGENT_TOKEN_FILE", "token")
    settings, _ = ScriptRun(script, "topic", {}, {}).load(None)
    assert settings.platform.url == "https://hub.example.org"
    assert settings.experiment is None


def test_it_knows_how_it_was_started(script: Path) -> None:
    run = ScriptRun(script, "topic", {}, {}, ("--flag", "a b"))
    assert run.command == "python src/main.py --flag 'a b'"
    assert run.init == "alectio-agent init src --from src/main.py"
    assert ScriptRun(script, "n", {}, {}, (), ScriptStart("src.main")).command == (
        "python -m src.main"
    )


def test_without_anything_the_mend_is_named(script: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(script)
    assert refused.value.exit_code == 78
    assert refused.value.code == "E-RUN-06"
    assert refused.value.hint.endswith("alectio-agent init src --from src/main.py")


def test_functions_that_were_told_are_looked_up_in_the_script(script: Path) -> None:
    Path("agent.yaml").write_text(ONE)
    hooks = {"train": "fit", "test": "processes:test", "infer": "rows"}
    _, pipeline, _ = load(script, hooks=hooks)
    assert isinstance(pipeline.hooks, HookFunctions)
    assert pipeline.hooks.references() == hooks
    assert pipeline.cwd == script.parent


def test_args_that_were_told_lie_below_those_of_the_file(script: Path) -> None:
    Path("agent.yaml").write_text(ONE)
    assert load(script, args={"a": 5, "b": 6})[1].args == {"a": 1, "b": 6}


def test_a_module_runs_in_the_working_folder(script: Path) -> None:
    Path("agent.yaml").write_text("experiment: e.yaml\n")
    hooks = {step: f"src.main:{step}" for step in ("train", "test", "infer")}
    _, pipeline, _ = load(script, hooks=hooks, start=ScriptStart("src.main"))
    assert pipeline.cwd == Path.cwd()
    assert pipeline.start == ScriptStart("src.main")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["extra"], "Got unexpected extra argument (extra)"),
        (["--", "--flag", "x"], "Got unexpected extra arguments (--flag x)"),
        (["--pipeline", "x"], "--pipeline goes with --script"),
        (["--script", "main.py", "--args-fd", "987"], "--args-fd 987"),
    ],
)
def test_arguments_without_a_script_are_refused(words: list[str], said: str) -> None:
    refused = CliRunner().invoke(main, ["run", *words])
    assert refused.exit_code == 2
    assert said in refused.stderr
