"""A command that needs one value of agent.yaml goes on beside what is wrong with the others."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.cli.settings import STATE_DIR
from alectio_agent.config.loader import load_sound
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError

RIGHT = """
agent: {name: gpu01, state_dir: /srv/state}
experiment: experiment.yaml
pipelines: {toy: {hooks: processes.py, pool_size: 60}}
"""


def sound(folder: Path, text: str) -> tuple[AgentFile, ConfigError | None]:
    file = folder / "agent.yaml"
    file.write_text(text)
    return load_sound(file, AgentFile, {}, STATE_DIR)


def test_nothing_is_said_of_a_right_file(tmp_path: Path) -> None:
    settings, wrong = sound(tmp_path, RIGHT)
    assert settings.agent.state_dir == Path("/srv/state")
    assert wrong is None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("notify: {command: [mail, root]}", "E-CONF-03"),
        ("notfy: {}", "E-CONF-02"),
        ("claim: {min_free_dsk: 1}", "E-CONF-02"),
        ("logging: {level: loud, keep: never}", "E-CONF-03"),
    ],
)
def test_what_is_wrong_elsewhere_is_told_and_passed_over(
    tmp_path: Path, more: str, code: str
) -> None:
    settings, wrong = sound(tmp_path, RIGHT + more)
    assert (settings.agent.name, settings.agent.state_dir) == ("gpu01", Path("/srv/state"))
    assert wrong is not None
    assert code in wrong.message
    assert more.partition(":")[0] in wrong.message


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.replace("state_dir: /srv/state", "state_dir: 7"),
        RIGHT.replace("state_dir", "stat_dir"),
        RIGHT.replace("agent:", "agnet:"),
        RIGHT.replace("{name: gpu01, state_dir: /srv/state}", "[gpu01]"),
        "agent: {state_dir: /srv/state",
        "agent: {state_dir: /srv/state}",
    ],
)
def test_a_doubtful_state_folder_is_not_guessed(tmp_path: Path, text: str) -> None:
    """Another folder may belong to another agent."""
    with pytest.raises(ConfigError):
        sound(tmp_path, text)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("status", "no agent has worked in this state folder"),
        ("stop", "no agent is running"),
        ("resume", ""),
        ("outbox list", "no agent has worked in this state folder"),
    ],
)
def test_operators_reach_the_agent_beside_a_mistake(
    tmp_path: Path, command: str, said: str
) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(RIGHT.replace("/srv/state", "state") + "notify: {command: [mail, root]}\n")
    (tmp_path / "state").mkdir(mode=0o700)
    done = CliRunner().invoke(main, [*command.split(), "-c", str(file)])
    assert "notify.command: found a list, expected text" in done.stderr
    assert "it goes on" in done.stderr
    assert said in done.output
    assert done.exit_code != 78
