"""`enroll` against a real hub: what it writes, what it refuses, and what it never shows."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from tests.support.hub_process import listening_socket
from tests.support.hub_thread import TalkedTo, hub_in_thread
from tests.support.projects import write_project
from tests.support.running import Running

PIPELINES = "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TalkedTo]:
    with listening_socket() as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with hub_in_thread(tmp_path_factory.mktemp("enrolling") / "hub", bound):
            yield TalkedTo(url)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is typed: with an agent.yaml that the hub's address is not in yet."""
    for name in ("ALECTIO_AGENT_CONFIG", "ALECTIO_AGENT_TOKEN_FILE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "processes.py").write_text("")
    (tmp_path / "agent.yaml").write_text(PIPELINES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(hub: TalkedTo, name: str, scope: str = "agent", expires_s: float | None = None) -> str:
    body = {"name": name, "scope": scope, "expires_s": expires_s}
    token: str = hub.operate("POST", "/v1/tokens", body).json()["token"]
    return token


def enroll(*words: str, token: str) -> Result:
    result = CliRunner().invoke(main, ["enroll", *words], input=token + "\n")
    if token:
        assert token not in result.output
    return result


def test_a_token_is_written_closed_to_others_and_the_next_step_is_named(
    hub: TalkedTo, folder: Path
) -> None:
    os.umask(os.umask(0))  # whatever it is, nobody else may read
    token = make(hub, "first", expires_s=30 * 86400 + 60)
    result = enroll(hub.url, token=token)
    assert result.exit_code == 0, result.output
    assert (folder / "token").read_text() == token + "\n"
    assert (folder / "token").stat().st_mode & 0o777 == 0o600
    assert "token first, scope agent, good until " in result.stdout
    assert "UTC (30 d 0 h left)" in result.stdout
    assert "Next: alectio-agent check" in result.stderr
    assert [each.name for each in folder.iterdir() if "token" in each.name] == ["token"]


def test_what_agent_yaml_lacks_is_said_until_it_says_it(hub: TalkedTo, folder: Path) -> None:
    token = make(hub, "lacking")
    told = enroll(hub.url, token=token).stderr
    assert f"url: {hub.url}\n  token_file: {folder / 'token'}" in told
    platform = f"platform: {{url: '{hub.url}', token_file: token}}\n"
    (folder / "agent.yaml").write_text(platform + PIPELINES)
    assert "has to say" not in enroll(hub.url, token=token).output


def test_the_file_that_agent_yaml_names_is_written(hub: TalkedTo, folder: Path) -> None:
    (folder / "agent.yaml").write_text(
        f"platform: {{url: '{hub.url}', token_file: secrets/mine}}\n{PIPELINES}"
    )
    token = make(hub, "named")
    assert enroll(hub.url, token=token).exit_code == 78  # the folder is not there
    (folder / "secrets").mkdir()
    assert enroll(hub.url, token=token).exit_code == 0
    assert (folder / "secrets" / "mine").read_text() == token + "\n"


def test_a_good_token_is_not_replaced_by_one_that_the_platform_refuses(
    hub: TalkedTo, folder: Path
) -> None:
    good = make(hub, "good")
    assert enroll(hub.url, token=good).exit_code == 0
    wrong = enroll(hub.url, "--force", token="alt_" + "x" * 40)
    assert wrong.exit_code == 77
    assert "E-AUTH-04" in wrong.stderr
    assert f"{folder / 'token'} keeps what it holds" in wrong.stderr
    assert (folder / "token").read_text() == good + "\n"


def test_a_token_that_may_do_more_is_refused_with_the_mend(hub: TalkedTo, folder: Path) -> None:
    result = enroll(hub.url, "--force", token=make(hub, "boss", "operator"))
    assert result.exit_code == 77
    assert "its scope is operator; expected agent" in result.stderr
    assert "alectio-agent hub token create NAME" in result.stderr
    assert not (folder / "token").exists()


def test_a_platform_that_does_not_answer_gets_its_token_only_with_force(folder: Path) -> None:
    with listening_socket() as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    silent = enroll(url, token="alt_untried")
    assert silent.exit_code == 75
    assert "--force" in silent.stderr
    assert not (folder / "token").exists()
    forced = enroll(url, "--force", token="alt_untried")
    assert forced.exit_code == 0
    assert "not tried: E-NET-01" in forced.stderr
    assert "was not written" not in forced.stderr
    assert (folder / "token").read_text() == "alt_untried\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "is empty"), ("two words", "more than a token"), ("a\nb", "more than a token"),
     ("t" * 9000, "larger than 8 KiB"), ("žluť", "bytes that no token has")],
)  # fmt: skip
def test_a_text_that_is_no_token_is_refused_before_anything_is_called(
    typed: str, told: str, folder: Path
) -> None:
    result = enroll("http://127.0.0.1:9", token=typed)
    assert (result.exit_code, told in result.stderr) == (78, True)
    assert not (folder / "token").exists()


@pytest.mark.parametrize(
    "words", [["alt_secret"], ["https://hub.example.org", "alt_secret"]], ids=["alone", "behind"]
)
def test_a_token_in_the_command_line_is_refused_and_not_repeated(words: list[str]) -> None:
    result = CliRunner().invoke(main, ["enroll", *words], input="")
    assert result.exit_code == 2
    assert "alt_secret" not in result.output
    assert "alectio-agent hub token revoke NAME" in result.stderr


def test_without_agent_yaml_the_file_must_be_named(hub: TalkedTo, folder: Path) -> None:
    (folder / "agent.yaml").unlink()
    token = make(hub, "nowhere")
    assert enroll(hub.url, token=token).exit_code == 2
    result = enroll(hub.url, "--token-file", "here", "--json", token=token)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["token_file"] == str(folder / "here")
    assert (told["platform"]["scope"], told["platform"]["token_name"]) == ("agent", "nowhere")


def test_a_link_stays_a_link_and_the_file_behind_it_is_exchanged(
    hub: TalkedTo, folder: Path
) -> None:
    (folder / "store").mkdir()
    (folder / "store" / "real").write_text("alt_old\n")
    (folder / "token").symlink_to("store/real")
    token = make(hub, "linked")
    assert enroll(hub.url, token=token).exit_code == 0
    assert (folder / "token").is_symlink()
    assert (folder / "store" / "real").read_text() == token + "\n"


def test_a_token_is_replaced_and_the_old_one_revoked_while_the_agent_works(
    hub: TalkedTo, folder: Path
) -> None:
    """Its poll is held with the old token at that moment; the next job comes all the same."""
    write_project(folder, loops=1)
    (folder / "agent.yaml").write_text(
        f"platform: {{url: '{hub.url}', token_file: token}}\n{PIPELINES}"
    )
    assert enroll(hub.url, token=make(hub, "before")).exit_code == 0
    with Running(folder, "--max-jobs", "1") as agent:
        agent.until("no job now")
        assert enroll(hub.url, token=make(hub, "after")).exit_code == 0
        assert hub.operate("POST", "/v1/tokens/before/revoke").status_code == 200
        settings = {"name": "toy", "classes": 3, "batch": 5, "loops": 1, "strategy": "margin"}
        assert hub.operate("POST", "/v1/experiments", {"settings": settings}).status_code == 200
        assert agent.end() == 0, agent.text
    assert "revoked" not in agent.text
    used = {each["name"]: each["last_used_at"] for each in
            hub.operate("GET", "/v1/tokens").json()["tokens"]}  # fmt: skip
    assert used["after"] is not None


def test_an_agent_whose_token_is_revoked_ends_and_says_how_to_go_on(
    hub: TalkedTo, folder: Path
) -> None:
    """Nothing follows this line in its log, so it names both commands, and what is kept."""
    write_project(folder, loops=1)
    (folder / "agent.yaml").write_text(
        f"platform: {{url: '{hub.url}', token_file: token}}\n{PIPELINES}"
    )
    assert enroll(hub.url, token=make(hub, "taken")).exit_code == 0
    with Running(folder) as agent:
        agent.until("registered as")
        assert hub.operate("POST", "/v1/tokens/taken/revoke").status_code == 200
        assert agent.end() == 77, agent.text
    last = agent.text[agent.text.index("E-AUTH-06  the token taken was revoked") :]
    assert "What is in the outbox is delivered with the next token" in last
    assert "alectio-agent hub token create NAME" in last
    assert f"alectio-agent enroll {hub.url}. Then start this agent again" in last


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_writes_the_token_for_the_user_of_the_agent(hub: TalkedTo, folder: Path) -> None:
    (folder / ".alectio").mkdir()
    os.chown(folder / ".alectio", 12345, 12345)
    assert enroll(hub.url, token=make(hub, "given")).exit_code == 0
    assert (folder / "token").stat().st_uid == 12345


def test_a_terminal_does_not_show_what_is_typed(hub: TalkedTo, folder: Path) -> None:
    token = make(hub, "typed")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "alectio_agent", "enroll", hub.url]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True
    ) as process:
        os.close(theirs)
        seen = b""
        while b"Token" not in seen:
            seen += os.read(ours, 1000)
        os.write(ours, token.encode() + b"\n")
        try:
            while piece := os.read(ours, 1000):
                seen += piece
        except OSError:  # Linux's way to say that the other end has gone
            pass
        assert process.wait(30) == 0
    os.close(ours)
    assert token.encode() not in seen
    assert b"scope agent" in seen
    assert (folder / "token").read_text() == token + "\n"
