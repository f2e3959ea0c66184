"""Looking at what an agent did: with the real command, after it has ended."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, run_command, write_project

PRINTING = HOOKS.replace("def train(payload):", "def train(payload):\n    print('\\x1b[31mtrains')")
BROKEN = PRINTING.replace("def infer(payload):", "def infer(payload):\n    raise ValueError('no')")
CLEAN = {"ALECTIO_AGENT_CONFIG": "", "ALECTIO_HUB": ""}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an experiment whose `infer` raised."""
    folder = tmp_path_factory.mktemp("failed")
    write_project(folder, loops=2, hooks=BROKEN)
    assert run_command("run", cwd=folder, environment=CLEAN).returncode == 3
    return folder


def test_a_failed_hook_says_what_to_type_next(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2, hooks=BROKEN)
    said = run_command("run", cwd=tmp_path, environment=CLEAN).stderr
    assert "infer failed: E-HOOK-10" in said
    assert "train and test are kept. Mend it, then: alectio-agent experiment retry toy" in said
    assert "user_code" not in said


def test_jobs_of_a_dead_agent_are_listed_with_what_to_do(failed: Path) -> None:
    before = sorted((failed / ".alectio").iterdir())
    shown = run_command("jobs", cwd=failed, environment=CLEAN)
    assert shown.returncode == 0
    assert "toy/0        1  failed  train, test" in shown.stdout
    assert "toy/0: E-HOOK-10" in shown.stdout
    assert "alectio-agent experiment retry toy" in shown.stdout
    assert sorted((failed / ".alectio").iterdir()) == before
    (job,) = json.loads(run_command("jobs", "--json", cwd=failed, environment=CLEAN).stdout)
    assert (job["job"], job["state"]) == ("toy/0", "failed")


def test_prints_of_hooks_are_shown_and_drive_no_terminal(failed: Path) -> None:
    shown = run_command("logs", cwd=failed, environment=CLEAN)
    assert shown.stdout.startswith("\\x1b[31mtrains\n")
    assert "toy/0, attempt 1:" in shown.stderr


def test_ctrl_c_ends_following_with_exit_code_0(failed: Path) -> None:
    following = subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", "logs", "-f"],
        cwd=failed,
        env={**os.environ, **CLEAN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    assert following.stdout.readline() == "\\x1b[31mtrains\n"
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=20)
    assert following.returncode == 0
    assert "Traceback" not in said


def test_a_closed_pipe_is_no_failure_of_ours(failed: Path) -> None:
    (failed / ".alectio" / "logs" / "big-0-a1.log").write_text("line\n" * 100_000)
    command = f"{sys.executable} -m alectio_agent logs big | head -1"
    shown = subprocess.run(
        ["bash", "-c", command], cwd=failed, env={**os.environ, **CLEAN},
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert shown.stdout == "line\n"
    assert "E-INT" not in shown.stderr
    assert "Error" not in shown.stderr


def test_whoever_has_seen_enough_of_the_record_hears_of_no_bad_disk(failed: Path) -> None:
    command = f"{sys.executable} -m alectio_agent audit | :"
    shown = subprocess.run(
        ["bash", "-c", command], cwd=failed, env={**os.environ, **CLEAN},
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert "E-DISK" not in shown.stderr


def test_the_configuration_that_was_named_wins(failed: Path, tmp_path: Path) -> None:
    """Flag > variable > folder; the system's file has its own test of `find_config`."""
    for name in ("flag", "variable"):
        write_project(tmp_path / name, agent=f"agent: {{name: by-{name}}}\n")
    variable = {"ALECTIO_AGENT_CONFIG": str(tmp_path / "variable" / "agent.yaml")}
    flag = ("-c", str(tmp_path / "flag" / "agent.yaml"))

    def named(*words: str, environment: dict[str, str]) -> str:
        shown = run_command("config", "show", *words, cwd=failed, environment=environment)
        assert shown.returncode == 0, shown.stderr
        return shown.stdout.splitlines()[1].strip()

    assert named(*flag, environment=variable) == "name: by-flag"
    assert named(environment=variable) == "name: by-variable"
    assert named(environment=CLEAN) not in ("name: by-flag", "name: by-variable")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes() -> None:
    script = (
        'eval "$(alectio-agent completion bash)"\n'
        "COMP_WORDS=(alectio-agent explain e-hook-0); COMP_CWORD=2\n"
        "_alectio_agent_completion alectio-agent\n"
        'echo "${COMPREPLY[@]:0:2}"\n'
        "COMPREPLY=(); COMP_WORDS=(alectio-agent exp); COMP_CWORD=1\n"
        "_alectio_agent_completion alectio-agent\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = subprocess.run(
        ["bash", "-c", script], env={**os.environ, **CLEAN, "PATH": path},
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert shown.stdout.splitlines() == ["E-HOOK-01 E-HOOK-02", "experiment explain"]
