"""The commands about a hub: which hub they mean, and what they refuse before they call it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main


def run(*words: str, **environment: str) -> Result:
    clean = {"ALECTIO_HUB": None, "ALECTIO_HUB_TOKEN_FILE": None}
    return CliRunner().invoke(main, words, env={**clean, **environment})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hub"], "serve"),
        (["hub", "serve", "--help"], "127.0.0.1"),
        (["hub", "token", "create", "--help"], "agent|operator|viewer"),
        (["experiment"], "create"),
        (["experiment", "show", "--help"], "ALECTIO_HUB_TOKEN_FILE"),
    ],
)
def test_help_names_what_there_is(words: list[str], told: str) -> None:
    assert told in run(*words).output


@pytest.mark.parametrize(
    ("words", "exit_code"), [((), 0), (("hub",), 2), (("config",), 2), (("hub", "token"), 2)]
)
def test_a_group_alone_prints_its_help_once(words: tuple[str, ...], exit_code: int) -> None:
    result = run(*words)
    assert result.output.count("Usage:") == 1
    assert "E-USE-01" not in result.output
    assert result.exit_code == exit_code


def test_the_version_is_an_option_too() -> None:
    assert run("--version").stdout == run("version").stdout != ""
    assert run("--json", "--version").stdout == run("version", "--json").stdout
    assert run("--version").exit_code == 0


def test_the_command_that_run_starts_is_not_shown() -> None:
    assert "embedded" not in run("hub", "--help").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hub", "serve", "--port", "99999"], "0<=x<=65535"),
        (["hub", "token", "create", "x", "--scope", "root"], "'agent', 'operator', 'viewer'"),
        (["hub", "token", "create", "x", "--expires", "soon"], "expected a duration such as"),
        (["hub", "token", "create", "x", "--expires", "0d"], "expected more than zero"),
        (["hub", "token", "create", "a b"], "expected up to 64 letters"),
        (["hub", "token", "revoke"], "Missing argument 'NAME'"),
        (["hub", "token", "revoke", "a b"], "no name of a token"),
        (["experiment", "rewind", "digits", "--loops", "0"], "x>=1"),
        (["experiment", "extend", "digits", "--pool", "many"], "not a valid integer"),
        (["experiment", "retry", "digits", "--step", "infer"], "'train'"),
        (["experiment", "show", "../x"], "no name of an experiment"),
        (["experiment", "labels", "export", "../x"], "no name of an experiment"),
        (["experiment", "labels", "import", "toy"], "Missing argument 'FILE'"),
        (["experiment", "labels", "import", "toy", "/nowhere.csv"], "E-EXP-12"),
        (["experiment", "labels", "imprt"], "Did you mean 'import'"),
        (["experiment", "diff", "toy/3", "toy/5"], "experiment diff toy 3 5"),
        (["experiment", "diff", "toy", "toy/3"], "expected a name and two numbers"),
        (["experiment", "diff", "toy"], "found 'nothing'; expected two numbers of loops"),
        (["experiment", "diff", "toy", "1"], "found '1'"),
        (["experiment", "diff", "toy", "1", "x"], "found '1 x'"),
        (["experiment", "diff", "toy", "1", "2", "3"], "found '1 2 3'"),
        (["experiment", "diff", "toy", "2", "02"], "toy/2 against itself"),
        (["experiment", "diff", "../x", "0", "1"], "no name of an experiment"),
        (["experiment", "list", "--hub", "http://127.0.0.1:1", "-c", "a.yaml"], "two hubs"),
        (["hub", "token", "create", "x", "--data", "/nowhere"], "no hub has ever run"),
        (["experiment", "list", "--hub", "127.0.0.1:8642"], "Did you mean http://127.0.0.1:8642"),
        (["experiment", "list", "--hub", "hub.example.org"], "https://hub.example.org?"),
        (["experiment", "list", "--hub", "http://"], "expected a URL such as https://"),
        (["experiment", "list", "--hub", "embedded"], "leave --hub away"),
        (["hub", "token", "list", "--hub", "ftp://hub"], "E-HUB-01"),
    ],
)
def test_a_wrong_command_line_is_told_and_ends_with_2(words: list[str], told: str) -> None:
    result = run(*words)
    assert told in result.output
    assert result.exit_code == 2


def test_a_hub_without_a_token_is_a_matter_of_configuration() -> None:
    result = run("experiment", "list", "--hub", "http://127.0.0.1:1")
    assert "no token for this hub" in result.output
    assert result.exit_code == 78


def test_without_a_configuration_the_ways_to_one_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("experiment", "list")
    assert "E-CONF-01" in result.output
    assert "alectio-agent init DIR" in result.output
    assert "--hub URL" in result.output


VERBS = ("pause", "resume", "cancel", "retry", "rewind", "reassign", "extend", "export", "show")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_tells_a_job_from_an_experiment(verb: str) -> None:
    """Log lines name jobs, which people copy."""
    result = run("experiment", verb, "digits/3")
    assert "`digits/3` names a job; expected an experiment, such as `digits`" in result.output
    assert (result.exit_code, "E-EXP-05" in result.output) == (2, True)
    assert "no name of an experiment" in run("experiment", verb, "digits/x").output


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_sends_no_token_in_the_clear(verb: str) -> None:
    result = run("experiment", verb, "digits", "--hub", "http://hub.example.org")
    assert (result.exit_code, "E-NET-03" in result.output) == (2, True)


def test_a_flag_beats_the_environment(tmp_path: Path) -> None:
    """`-c` names another hub than the one that the shell exports."""
    missing = tmp_path / "agent.yaml"
    result = run("experiment", "list", "-c", str(missing), ALECTIO_HUB="http://127.0.0.1:1")
    assert str(missing) in result.output
    assert "two hubs" not in result.output


def test_a_token_for_a_folder_without_a_hub_makes_no_folder(tmp_path: Path) -> None:
    run("hub", "token", "create", "gpu01", "--data", str(tmp_path / "typo"))
    assert not (tmp_path / "typo").exists()
