"""`check` finds each thing that would stop a job, and goes on to the next."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_distant_hub import served
from tests.support.projects import HOOKS, run_command, write_project

__all__ = ["served"]


def check_in(folder: Path, *words: str) -> tuple[int, dict[str, dict]]:
    """Exit code, and checks by name."""
    ran = run_command("check", "--json", *words, cwd=folder)
    assert "Traceback" not in ran.stderr, ran.stderr
    found = json.loads(ran.stdout)
    names = [check["check"] for check in found]
    assert len(names) == len(set(names))
    return ran.returncode, {check["check"]: check for check in found}


def failures(checks: dict[str, dict]) -> list[str]:
    return [name for name, check in checks.items() if check["state"] == "failed"]


def write_pipeline(folder: Path, keys: str, hooks: str = HOOKS) -> None:
    """A project whose pipeline has these keys too."""
    write_project(folder, hooks=hooks)
    agent = (folder / "agent.yaml").read_text()
    (folder / "agent.yaml").write_text(agent.replace("60}", f"60, {keys}}}"))


def test_the_next_step_is_about_the_same_configuration(tmp_path: Path) -> None:
    write_project(tmp_path / "there")
    ran = run_command("check", "--config", "there/agent.yaml", cwd=tmp_path)
    assert ran.stdout.endswith("Next: alectio-agent try --config there/agent.yaml\n")


def test_a_project_that_is_right_passes(tmp_path: Path) -> None:
    write_project(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    ran = run_command("check", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    lines = ran.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines[:-1]), ran.stdout
    assert lines[-1] == "All is well. Next: alectio-agent try"
    assert f"{tmp_path}/agent.yaml (this folder)" in ran.stdout
    assert "toy: pipeline toy, 4 loops, 60 samples" in ran.stdout
    assert "the hub in the box: nothing more is needed" in ran.stdout
    assert sorted(tmp_path.rglob("*")) == before, "nothing is written"


def test_doctor_is_the_same_command(tmp_path: Path) -> None:
    write_project(tmp_path)
    said = [run_command(word, "--offline", cwd=tmp_path).stdout for word in ("check", "doctor")]
    # Other programs write to the same disk between the two.
    check, doctor = (re.sub(r"[\d.,]+ \w+ free", "free", text) for text in said)
    assert check == doctor != ""


def test_a_configuration_that_cannot_be_loaded_is_78(tmp_path: Path) -> None:
    write_pipeline(tmp_path, "pyhton: python3, timeout: {train: soon}")
    ran = run_command("check", cwd=tmp_path)
    assert ran.returncode == 78
    assert "toy.pyhton: unknown key. Did you mean `python`?" in ran.stdout
    assert "toy.timeout.train: found 'soon'" in ran.stdout, "all problems at once"


def test_what_fails_hides_nothing_that_can_still_be_looked_at(tmp_path: Path) -> None:
    write_pipeline(tmp_path, "python: /no/such/python, env_file: secrets.env")
    (tmp_path / "secrets.env").write_text("KEY=value\n")
    (tmp_path / "secrets.env").chmod(0o644)
    (tmp_path / "checkpoints").write_text("in the way")
    (tmp_path / "experiment.yaml").write_text("name: toy\n")
    code, checks = check_in(tmp_path)
    assert code == 3
    assert failures(checks) == ["toy: python", "toy: env_file", "toy: checkpoints", "experiment"]
    assert "pipelines.toy.python: /no/such/python: no such" in checks["toy: python"]["problems"][0]
    assert "chmod 600" in checks["toy: env_file"]["problems"][0]
    assert "is no folder" in checks["toy: checkpoints"]["problems"][0]
    assert checks["toy: hooks"]["state"] == "skipped"
    assert checks["disk"]["state"] == "ok"


def test_a_program_that_is_no_python_is_told(tmp_path: Path) -> None:
    write_pipeline(tmp_path, "python: /bin/false")
    _, checks = check_in(tmp_path)
    assert checks["toy: python"]["codes"] == ["E-HOOK-02"]
    assert "is no Python that runs" in checks["toy: python"]["problems"][0]


def test_a_missing_package_names_the_interpreter_that_has_it(tmp_path: Path) -> None:
    """The commonest mistake of all: torch lies in another environment."""
    write_project(tmp_path, hooks="import torch_like_thing\n" + HOOKS)
    other = tmp_path / ".venv"
    (other / "lib/python3.11/site-packages/torch_like_thing").mkdir(parents=True)
    (other / "bin").mkdir()
    (other / "bin/python").touch()
    code, checks = check_in(tmp_path)
    assert code == 3
    assert checks["toy: hooks"]["problems"] == [
        f"E-HOOK-01  {tmp_path}/processes.py:1 `import torch_like_thing`: not installed in "
        f"{sys.executable} (pipelines.toy.python is not set).\n"
        f"Found torch_like_thing in {other}. Set pipelines.toy.python: {other}/bin/python"
    ]


def test_hooks_in_other_forms_and_the_names_of_state_are_told(tmp_path: Path) -> None:
    hooks = HOOKS + (
        "\nTEST = test\ndef test(args, ckpt_file):\n    pass\n"
        "\ndef state(payload):\n    return {index: str(index) for index in range(77)}\n"
    )
    write_project(tmp_path, hooks=hooks)
    _, checks = check_in(tmp_path)
    assert checks["toy: hooks"]["said"] == (
        "train(payload), test by keywords, infer(payload), state names 77 samples"
    )


def test_a_pool_that_is_too_small_is_told(tmp_path: Path) -> None:
    write_project(tmp_path, pool=9)
    code, checks = check_in(tmp_path)
    assert (code, failures(checks)) == (3, ["experiment"])
    assert "the pool has 9" in checks["experiment"]["problems"][0]


def test_a_journal_that_cannot_be_read_is_told_before_run_moves_it_aside(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / ".alectio").mkdir(mode=0o700)
    (tmp_path / ".alectio" / "agent.db").write_text("this is no database" * 100)
    code, checks = check_in(tmp_path, "--offline")
    assert (code, failures(checks)) == (3, ["journal"])
    told = checks["journal"]["problems"][0]
    assert told.startswith(f"E-DISK-04  {tmp_path}/.alectio/agent.db: ")
    assert "The next start moves it aside and makes it anew" in told


def test_a_state_folder_that_is_none_or_open_to_others_is_told(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / ".alectio").mkdir(mode=0o755)
    code, checks = check_in(tmp_path)
    assert (code, checks["state folder"]["state"]) == (0, "warn")
    assert checks["state folder"]["problems"] == [
        f"others may look into it: chmod 700 {tmp_path}/.alectio"
    ]
    (tmp_path / ".alectio").rmdir()
    (tmp_path / ".alectio").touch()
    code, checks = check_in(tmp_path)
    assert (code, failures(checks)) == (3, ["state folder"])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """An agent in the middle of a `train` that waits for ever; ended whatever happens."""
    waiting = (
        "def train(payload):\n    import signal\n    if 'WAIT' in os.environ:\n"
        "        signal.pause()\n"
    )
    write_project(tmp_path, hooks=HOOKS.replace("def train(payload):\n", waiting))
    with subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", "run"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "WAIT": "1"},
    ) as agent:
        assert agent.stderr is not None
        for line in agent.stderr:
            if "train started" in line:
                break
        yield agent
        agent.kill()
        agent.stderr.read()


def test_an_agent_that_runs_is_said_and_not_disturbed(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    """It needs no lock, counts no boot and writes nothing into the journal."""
    identity = (tmp_path / ".alectio/identity.json").read_bytes()
    code, checks = check_in(tmp_path)
    assert (code, failures(checks)) == (0, [])
    assert f"(process {running.pid})" in checks["running"]["said"]
    assert (tmp_path / ".alectio/identity.json").read_bytes() == identity
    tried = run_command("try", "--step", "infer", cwd=tmp_path)
    assert tried.returncode == 0, tried.stdout
    assert running.poll() is None


def test_guesses_that_nobody_looked_at_are_told(tmp_path: Path) -> None:
    """What `init --from` marks with FILL IN."""
    write_project(tmp_path, experiment="seed: 3 # FILL IN: any\noutput: logits # FILL IN: or not\n")
    code, checks = check_in(tmp_path)
    assert (code, checks["configuration"]["state"]) == (0, "ok")
    assert checks["experiment"]["state"] == "warn"
    assert "experiment.yaml: lines 6, 7 still marked FILL IN" in checks["experiment"]["problems"][0]


class TestAPlatformElsewhere:
    def write(self, folder: Path, url: str, mode: int = 0o600, token: str = "alt_x") -> None:
        write_project(folder)
        (folder / "agent.yaml").write_text(
            f"platform: {{url: '{url}', token_file: token}}\n"
            "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
        )
        (folder / "token").write_text(token)
        (folder / "token").chmod(mode)

    def test_offline_it_is_not_called(self, tmp_path: Path) -> None:
        self.write(tmp_path, "https://nowhere.invalid")
        code, checks = check_in(tmp_path, "--offline")
        assert (code, checks["platform"]["state"]) == (0, "skipped")
        assert "hub" not in checks

    def test_one_that_does_not_answer_is_told(self, tmp_path: Path) -> None:
        self.write(tmp_path, "http://127.0.0.1:1")
        code, checks = check_in(tmp_path)
        assert (code, failures(checks)) == (3, ["tcp"])
        assert checks["tcp"]["codes"] == ["E-NET-01"]

    def test_a_token_that_others_can_read_is_told(self, tmp_path: Path) -> None:
        self.write(tmp_path, "https://nowhere.invalid", mode=0o644)
        code, checks = check_in(tmp_path, "--offline")
        assert (code, failures(checks)) == (3, ["token file"])
        assert checks["token file"]["problems"] == [
            f"E-AUTH-02  {tmp_path}/token is readable by others (0644). chmod 600 it; if others "
            "had access, revoke it:\n"
            "alectio-agent hub token revoke NAME, on the hub, and make another"
        ]

    def test_a_token_that_cannot_be_read_is_told_once(self, tmp_path: Path) -> None:
        self.write(tmp_path, "http://127.0.0.1:1", mode=0o644)
        code, checks = check_in(tmp_path)
        assert (code, failures(checks)) == (3, ["token file", "tcp"])
        assert checks["platform"]["state"] == "skipped"

    def test_a_hub_that_takes_the_token_or_does_not(
        self, served: tuple[Path, str], tmp_path: Path
    ) -> None:
        data, url = served

        def token(name: str, *more: str) -> str:
            words = ("hub", "token", "create", name, "--data", str(data), *more)
            return run_command(*words, cwd=tmp_path).stdout

        self.write(tmp_path / "site", url, token=token("gpu01"))
        code, checks = check_in(tmp_path / "site", "--hold", "1s")
        assert (code, failures(checks)) == (0, [])
        assert "taken, scope agent, does not expire" in checks["token"]["said"]
        assert checks["long poll"]["said"].endswith("as asked")

        self.write(tmp_path / "site", url, token="alt_unknown")
        code, checks = check_in(tmp_path / "site")
        assert (code, checks["token"]["codes"]) == (3, ["E-AUTH-04"])

        self.write(tmp_path / "site", url, token=token("eyes", "--scope", "viewer"))
        code, checks = check_in(tmp_path / "site")
        assert (code, checks["token"]["codes"]) == (3, ["E-AUTH-07"])
        assert "its scope is viewer; expected agent" in checks["token"]["problems"][0]


@pytest.mark.parametrize("word", ["check", "try"])
def test_help_tells_what_the_command_does(tmp_path: Path, word: str) -> None:
    ran = run_command(word, "--help", cwd=tmp_path)
    assert ran.returncode == 0
    assert "running agent" in ran.stdout
