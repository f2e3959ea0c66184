"""Which `agent.yaml` wins."""

import os
import tempfile
from pathlib import Path

import pytest

from alectio_agent.config.lookup import find_config, find_if_any
from alectio_agent.core.errors import ConfigError, ExitCode

NOBODY = 65534


@pytest.fixture
def files(tmp_path):
    """One file at each of the four places."""
    names = ("flag.yaml", "variable.yaml", "here/agent.yaml", "etc/agent.yaml")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return [tmp_path / name for name in names]


def find(files, flag=None, environment=None):
    return find_config(flag, environment or {}, files[2].parent, system_file=files[3])


def test_the_flag_wins_then_the_variable_then_the_folder_then_the_system(files):
    by_flag, by_variable, here, system = files
    environment = {"ALECTIO_AGENT_CONFIG": str(by_variable)}
    assert find(files, by_flag, environment) == by_flag
    assert find(files, None, environment) == by_variable
    assert find(files) == here
    here.unlink()
    assert find(files) == system


def test_relative_paths_start_at_the_working_folder(files):
    assert find(files, Path("../flag.yaml")) == files[2].parent / "../flag.yaml"
    assert find(files, None, {"ALECTIO_AGENT_CONFIG": "agent.yaml"}) == files[2]


def test_an_empty_variable_is_none(files):
    assert find(files, None, {"ALECTIO_AGENT_CONFIG": ""}) == files[2]


def test_a_named_file_that_is_not_there_is_never_replaced_by_another(files):
    with pytest.raises(ConfigError, match=r"no\.yaml \(--config\) does not exist"):
        find(files, Path("no.yaml"))
    with pytest.raises(ConfigError, match=r"no\.yaml \(\$ALECTIO_AGENT_CONFIG\) does not exist"):
        find(files, None, {"ALECTIO_AGENT_CONFIG": "no.yaml"})


def test_a_folder_is_no_configuration(files):
    with pytest.raises(ConfigError, match=r"here \(--config\) is a folder; expected a YAML file"):
        find(files, files[2].parent)


def test_every_place_is_named_when_there_is_none(files):
    files[2].unlink()
    files[3].unlink()
    with pytest.raises(ConfigError) as caught:
        find(files)
    said = str(caught.value)
    assert caught.value.exit_code == ExitCode.CONFIG
    for place in ("--config", "$ALECTIO_AGENT_CONFIG", str(files[2]), str(files[3])):
        assert place in said


def test_the_systems_file_is_where_the_documentation_says(tmp_path):
    with pytest.raises(ConfigError, match=r"/etc/alectio-agent/agent\.yaml"):
        find_config(None, {}, tmp_path)


@pytest.fixture
def closed():
    """A file in a folder of root's, seen by somebody else."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o700)
        file = Path(folder) / "agent.yaml"
        file.touch()
        os.seteuid(NOBODY)
        try:
            yield file
        finally:
            os.seteuid(0)


def test_the_systems_file_is_closed_to_others_and_they_are_told(closed):
    """The Debian package's folder is: it holds the token."""
    here = Path("/")
    assert find_if_any(None, {}, here, system_file=closed) is None
    with pytest.raises(ConfigError, match=rf"{closed} \(this user may not look there\)"):
        find_config(None, {}, here, system_file=closed)


def test_a_named_file_that_is_closed_is_not_said_to_be_missing(closed):
    with pytest.raises(ConfigError, match="this user may not look into its folder") as raised:
        find_config(closed, {}, Path("/"))
    assert "sudo -u alectio-agent" in raised.value.hint
