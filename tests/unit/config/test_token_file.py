"""The agent's token: read from a file that is closed to others, and never shown."""

import os

import pytest

from alectio_agent.config.token_file import read_token, read_token_file
from alectio_agent.core.errors import ConfigError, ExitCode
from tests.support.config_files import AGENT, PIPELINE, load_agent


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("alt_s3cret\n")
    file.chmod(0o600)
    return file


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        read_token_file(path)
    assert caught.value.exit_code == ExitCode.CONFIG
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def test_the_token_is_the_one_line(token_file):
    assert read_token_file(token_file) == "alt_s3cret"


def test_a_token_that_only_the_owner_may_read_is_right(token_file):
    token_file.chmod(0o400)
    assert read_token_file(token_file) == "alt_s3cret"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused_with_the_mend(token_file, mode):
    token_file.chmod(mode)
    said = refusal(token_file)
    assert said.startswith(
        f"E-AUTH-02  {token_file} is readable by others (0{mode:o}). chmod 600 it"
    )
    assert "alectio-agent hub token revoke NAME" in said


def test_a_file_that_others_may_change_is_refused(token_file):
    token_file.chmod(0o602)
    assert "is writable by others (0602). chmod 600 it" in refusal(token_file)


def test_a_file_of_another_user_is_refused(token_file, monkeypatch):
    owner = token_file.stat().st_uid
    if owner == 0:  # root's files are right for everybody, so give this one away
        os.chown(token_file, owner := 12345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert "belongs to user" in refusal(token_file)


def test_a_link_is_followed_and_its_target_judged(token_file, tmp_path):
    """A service manager hands tokens over as links."""
    link = tmp_path / "link"
    link.symlink_to(token_file)
    assert read_token_file(link) == "alt_s3cret"
    token_file.chmod(0o644)
    assert "(0644)" in refusal(link)


def test_only_a_regular_file_is_read(tmp_path):
    """A named pipe would hold the agent up for ever."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "is no regular file" in refusal(tmp_path / "pipe")
    assert "is no regular file" in refusal(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert f"{tmp_path}/none cannot be read (No such file or directory)" in refusal(
        tmp_path / "none"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; expected one line, the token alone"),
        (b"\n \n", "is empty"),
        (b"alt_s3cret\nanother\n", "holds more than a token"),
        (b"Bearer alt_s3cret", "holds more than a token"),
        (b"alt_s3cret\x00", "holds more than a token"),
        ("alt_s3crét".encode(), "holds bytes that no token has"),
        (b"alt_s3cret" * 1000, "is larger than 8 KiB"),
    ],
)
def test_anything_but_one_token_is_refused(token_file, content, said):
    token_file.write_bytes(content)
    assert refusal(token_file).startswith("E-AUTH-03  ")
    assert said in refusal(token_file)


def test_the_settings_name_the_file_and_it_is_read_anew_each_time(token_file):
    settings = load_agent(PIPELINE + "platform: {url: 'https://a.org', token_file: token}\n")
    assert read_token(settings, {}) == "alt_s3cret"
    token_file.write_text("alt_renewed")
    assert read_token(settings, {}) == "alt_renewed"


def test_a_token_is_found_by_its_variable(token_file):
    environment = {"ALECTIO_AGENT_TOKEN_FILE": str(token_file)}
    assert read_token(load_agent(AGENT), environment) == "alt_s3cret"


def test_no_token_at_all_names_the_key():
    with pytest.raises(ConfigError, match=r"no token: platform\.token_file is not set"):
        read_token(load_agent(AGENT), {})


def test_a_credential_of_systemd_may_look_readable_by_a_group(token_file):
    """The access list by which the service's user may read it shows there."""
    token_file.chmod(0o440)
    settings = load_agent(
        f"{PIPELINE}platform: {{url: 'https://h.example', token_file: {token_file}}}\n"
    )
    with pytest.raises(ConfigError, match="readable by others"):
        read_token(settings, {})
    assert read_token(settings, {"CREDENTIALS_DIRECTORY": str(token_file.parent)}) == "alt_s3cret"


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o604])
def test_a_credential_that_more_may_read_is_refused(token_file, mode):
    token_file.chmod(mode)
    with pytest.raises(ConfigError):
        read_token_file(token_file, is_credential=True)
