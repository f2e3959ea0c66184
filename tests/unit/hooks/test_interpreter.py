"""Interpreters and folders that the agent cannot use are named with the mend."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.interpreter import check_interpreter
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import HookLoadError
from tests.support.config_files import load_agent

UNIT = {"ALECTIO_UNIT": "alectio-agent.service"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "processes.py").touch()
    (tmp_path / "experiment.yaml").touch()
    (tmp_path / "python").touch()


def pipeline(python: object, cwd: object = ".") -> PipelineSettings:
    return load_agent(
        f"pipelines:\n  xray: {{hooks: processes.py, python: {python}, cwd: {cwd}}}\n"
        "experiment: experiment.yaml\n"
    ).pipelines["xray"]


def refusal(settings: PipelineSettings, environment: dict[str, str]) -> str:
    with pytest.raises(HookLoadError) as caught:
        check_interpreter("xray", settings, environment)
    return str(caught.value)


def test_a_service_that_sees_no_homes_says_so_and_what_mends_it() -> None:
    said = refusal(pipeline("/home/ml/no-such-conda/bin/python"), UNIT)
    assert said.startswith(
        "E-HOOK-02  pipelines.xray.python: /home/ml/no-such-conda/bin/python: the service "
        "alectio-agent.service cannot see /home\n"
        "alectio-agent service install --read /home/ml/no-such-conda "
    )


def test_a_folder_in_a_home_is_shown_as_it_is(tmp_path: Path) -> None:
    said = refusal(pipeline(tmp_path / "python", "/root/no/such folder"), UNIT)
    assert "pipelines.xray.cwd: /root/no/such folder: the service" in said
    assert "--read '/root/no/such folder' " in said


@pytest.mark.parametrize(
    ("python", "environment"),
    [("/home/ml/no-such-conda/bin/python", {}), ("/opt/no-such-conda/bin/python", UNIT)],
)
def test_elsewhere_it_is_not_there(python: str, environment: dict[str, str]) -> None:
    assert "no such interpreter" in refusal(pipeline(python), environment)


def test_what_is_there_is_right(tmp_path: Path) -> None:
    check_interpreter("xray", pipeline(tmp_path / "python"), UNIT)
