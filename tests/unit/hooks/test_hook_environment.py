"""The variables of a hook process."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.activation import activate
from alectio_agent.agent.hooks.env_file import read_env_file
from alectio_agent.agent.hooks.environment import ExperimentFolders, without_secrets
from alectio_agent.core.errors import HookLoadError


def secret_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "env"
    file.write_text(text)
    file.chmod(mode)
    return file


class TestEnvFile:
    def test_lines_become_variables(self, tmp_path: Path) -> None:
        text = "# comment\n\nA=1\nexport B = two words \nC='quoted #'\nD=\"x=y\"\nE=\nA=2\n"
        assert read_env_file(secret_file(tmp_path, text)) == {
            "A": "2", "B": "two words", "C": "quoted #", "D": "x=y", "E": "",
        }  # fmt: skip

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
    def test_a_file_that_others_may_read_is_refused(self, tmp_path: Path, mode: int) -> None:
        with pytest.raises(HookLoadError, match=f"{mode:04o}.*chmod 600"):
            read_env_file(secret_file(tmp_path, "A=1\n", mode))

    @pytest.mark.parametrize("line", ["no equals sign", "1A=x", "=x", "A B=1", "A=\0"])
    def test_a_wrong_line_is_named_by_number_and_never_shown(
        self, tmp_path: Path, line: str
    ) -> None:
        with pytest.raises(HookLoadError) as failed:
            read_env_file(secret_file(tmp_path, f"OK=1\n{line}\n"))
        assert "env:2: expected KEY=value" in failed.value.message
        assert line not in failed.value.message

    def test_a_missing_file_or_folder_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(HookLoadError, match="No such file"):
            read_env_file(tmp_path / "missing")
        with pytest.raises(HookLoadError, match="env_file"):
            read_env_file(tmp_path)

    def test_a_file_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        file = secret_file(tmp_path, "")
        file.write_bytes(b"A=\xff\xfe\n")
        with pytest.raises(HookLoadError, match="UTF-8"):
            read_env_file(file)


class TestSecrets:
    def test_what_is_the_agents_own_is_taken_out(self) -> None:
        inherited = dict.fromkeys(
            [
                "ALECTIO_AGENT_TOKEN_FILE", "ALECTIO_AGENT_CONFIG", "ALECTIO_HUB",
                "ALECTIO_HUB_TOKEN", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_USEC",
                "WATCHDOG_PID", "LISTEN_FDS", "PATH", "ALECTIO_OTHER", "HTTPS_PROXY",
            ],
            "x",
        )  # fmt: skip
        assert sorted(without_secrets(inherited)) == ["ALECTIO_OTHER", "HTTPS_PROXY", "PATH"]

    @pytest.mark.parametrize(
        ("value", "seen"),
        [
            ("http://me:p%40ss@proxy:3128", "http://proxy:3128"),
            ("me:p@ss@proxy:3128", "proxy:3128"),
            ("http://proxy:3128", "http://proxy:3128"),
        ],
    )
    @pytest.mark.parametrize("name", ["https_proxy", "HTTP_PROXY", "ALL_PROXY"])
    def test_a_proxy_comes_without_user_and_password(
        self, name: str, value: str, seen: str
    ) -> None:
        assert without_secrets({name: value, "no_proxy": "a@b"})[name] == seen


class TestActivation:
    def test_the_agents_own_environment_is_taken_out_for_another_interpreter(self) -> None:
        agent = {
            "VIRTUAL_ENV": "/srv/venv", "VIRTUAL_ENV_PROMPT": "x",
            "PATH": "/srv/venv/bin:/usr/bin", "A": "1",
        }  # fmt: skip
        assert activate(Path("/nowhere/bin/python"), agent) == {"PATH": "/usr/bin", "A": "1"}

    def test_a_virtual_environment_comes_first(self, tmp_path: Path) -> None:
        (tmp_path / "pyvenv.cfg").touch()
        found = activate(tmp_path / "bin/python", {"PATH": "/usr/bin"})
        assert found == {"PATH": f"{tmp_path}/bin:/usr/bin", "VIRTUAL_ENV": str(tmp_path)}

    @pytest.mark.parametrize(
        ("place", "name"), [("envs/torch", "torch"), ("conda", "base"), ("other", None)]
    )
    def test_a_conda_environment_is_named_as_conda_names_it(
        self, tmp_path: Path, place: str, name: str | None
    ) -> None:
        prefix = tmp_path / place
        (prefix / "conda-meta").mkdir(parents=True)
        if name == "base":
            (prefix / "condabin").mkdir()
        found = activate(prefix / "bin/python", {"PATH": "/usr/bin"})
        assert found["CONDA_PREFIX"] == str(prefix)
        assert found["CONDA_DEFAULT_ENV"] == (name or str(prefix))
        assert found["PATH"].split(":")[0] == f"{prefix}/bin"

    def test_a_link_to_an_interpreter_of_conda_activates_it(self, tmp_path: Path) -> None:
        prefix = tmp_path / "conda"
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "bin").mkdir()
        (prefix / "bin/python").touch()
        (tmp_path / "mine").symlink_to(prefix / "bin/python")
        assert activate(tmp_path / "mine", {})["CONDA_PREFIX"] == str(prefix)


class TestFolders:
    def test_both_are_made(self, tmp_path: Path) -> None:
        folders = ExperimentFolders(tmp_path / "checkpoints" / "toy")
        folders.make()
        folders.make()
        assert folders.log == tmp_path / "checkpoints" / "toy" / "log"
        assert folders.log.is_dir()

    def test_a_place_where_none_can_be_made_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(HookLoadError, match=r"checkpoints\.dir"):
            ExperimentFolders(tmp_path / "file" / "toy").make()


def test_reading_a_file_of_variables_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_env_file(secret_file(tmp_path, "A=1"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
