"""Names on the command line: of experiments and of jobs."""

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main


def run(*words: str) -> Result:
    clean = {"ALECTIO_HUB": None, "ALECTIO_HUB_TOKEN_FILE": None}
    return CliRunner().invoke(main, list(words), env=clean)


@pytest.mark.parametrize("name", ["../x", "", "a b", "-x" * 40, "x" * 65, "x\x1b[31m", "x\n"])
def test_what_can_be_no_name_is_refused_before_a_hub_is_asked(name: str) -> None:
    result = run("experiment", "show", "--hub", "http://127.0.0.1:1", "--", name)
    assert result.exit_code == 2
    assert "E-EXP-05" in result.stderr
    assert "is no name of an experiment" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_job_in_the_place_of_an_experiment_names_the_experiment() -> None:
    result = run("experiment", "show", "xray-margin/3")
    assert result.exit_code == 2
    assert "E-EXP-05  `xray-margin/3` names a job; expected an experiment" in result.stderr


@pytest.mark.parametrize("name", ["a/b", "a/", "/3", "a/-1", "a/1/2", "a/1234567890", "\x1b/1"])
def test_what_can_be_no_job_is_refused(name: str) -> None:
    result = run("logs", "--", name)
    assert result.exit_code == 2
    assert "expected experiment/loop such as digits/3" in result.stderr
    assert "\x1b" not in result.stderr
