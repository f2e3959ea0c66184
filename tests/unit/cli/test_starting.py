"""A restart: what is looked at before it, and the command line of the next process."""

import json
import os
import sys
from pathlib import Path

import pytest

from alectio_agent.cli.options import Common
from alectio_agent.cli.run_wish import Wish
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.cli.starting import check_start, own_command
from alectio_agent.core.errors import AlectioAgentError, ConfigError, UsageError

PIPELINES = "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
EMBEDDED = f"{PIPELINES}experiment: experiment.yaml\n"
DISTANT = f"platform: {{url: 'http://127.0.0.1:1', token_file: token}}\n{PIPELINES}"
EXPERIMENT = "name: toy\ntask: classification\nclasses: 3\nbatch: 5\nloops: 2\n"


def check(folder: Path, agent: str, **options: bool) -> None:
    (folder / "processes.py").write_text("")
    (folder / "agent.yaml").write_text(agent)
    check_start(load_agent_file, Common(folder / "agent.yaml"), Wish(**options))


def test_what_would_start_passes(tmp_path: Path) -> None:
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    check(tmp_path, EMBEDDED, stay=True)
    (tmp_path / "token").write_text("alt_x")
    (tmp_path / "token").chmod(0o600)
    check(tmp_path, DISTANT)


@pytest.mark.parametrize(
    ("agent", "experiment", "token", "said"),
    [
        (f"{EMBEDDED}nonsense: 1\n", EXPERIMENT, 0o600, "nonsense: unknown key"),
        (EMBEDDED, f"{EXPERIMENT}nonsense: 1\n", 0o600, "nonsense: unknown key"),
        (f"{EMBEDDED}agent: {{control_group: no-such-group}}\n", EXPERIMENT, 0o600, "no-such-grou"),
        (DISTANT, EXPERIMENT, 0o644, "readable by others"),
    ],
    ids=["agent.yaml", "experiment.yaml", "the group", "the token"],
)
def test_what_would_not_start_is_said_before_the_agent_ends(
    tmp_path: Path, agent: str, experiment: str, token: int, said: str
) -> None:
    (tmp_path / "experiment.yaml").write_text(experiment)
    (tmp_path / "token").write_text("alt_x")
    (tmp_path / "token").chmod(token)
    with pytest.raises(AlectioAgentError, match=said) as raised:
        check(tmp_path, agent)
    assert isinstance(raised.value, ConfigError)


def test_options_that_no_longer_fit_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("alt_x")
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(UsageError, match="--stay is about the hub in the box"):
        check(tmp_path, DISTANT, stay=True)


def test_the_next_process_has_the_same_command_line() -> None:
    """With the options of the interpreter, whose own name may have been relative."""
    argv = ["python", "-P", "/venv/bin/alectio-agent", "run", "-c", "agent.yaml"]
    assert own_command(argv, {}) == [sys.executable, *argv[1:]]


def test_a_command_whose_first_line_names_the_interpreter_names_it_anew(tmp_path: Path) -> None:
    """An update may have given it another environment, as the Debian package does."""
    command = tmp_path / "alectio-agent"
    command.write_text("#!/opt/alectio-agent/1.0.0/bin/python3\n")
    argv = ["/opt/alectio-agent/0.9.0/bin/python3", str(command), "run", "--debug"]
    assert own_command(argv, {}) == [sys.executable, *argv[1:]], "it may not be executed"
    command.chmod(0o755)
    assert own_command(argv, {}) == [str(command), "run", "--debug"]
    assert own_command(["python3", *argv[1:]], {})[0] == sys.executable, "somebody typed python3"
    command.write_text("print('no interpreter named')\n")
    assert own_command(argv, {})[0] == sys.executable


def test_arguments_of_a_script_are_handed_over_anew() -> None:
    """Their file has been read to its end, and closed."""
    argv = ["python", "-m", "alectio_agent", "run", "--args-fd", "99", "--", "--args-fd", "5"]
    words = own_command(argv, {"lr": 0.1})
    number = int(words[5])
    assert words[6:] == ["--", "--args-fd", "5"]
    assert os.get_inheritable(number)
    with os.fdopen(number) as file:
        assert json.load(file) == {"lr": 0.1}
