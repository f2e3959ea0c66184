"""A hub as a service of its own, and an agent that reaches it with a token."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, run_command, write_project


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that `hub serve` works in, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = tmp_path / "hub"
    command = [sys.executable, "-m", "alectio_agent", "hub", "serve"]
    serving = subprocess.Popen(
        [*command, "--data", str(data), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert serving.stdout is not None
    said = ""
    while "http://" not in said or "alt_" not in said:
        line = serving.stdout.readline()
        assert line, "the hub ended before it served"
        said += line
    (tmp_path / "operator").write_text(next(w for w in said.split() if w.startswith("alt_")))
    (tmp_path / "operator").chmod(0o600)
    yield data, f"http://127.0.0.1:{port}"
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(30) == 0
    serving.stdout.close()


def test_tokens_experiment_agent_and_results(served: tuple[Path, str], tmp_path: Path) -> None:
    data, url = served
    made = run_command("hub", "token", "create", "gpu01", "--data", str(data), cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    site = tmp_path / "site"
    write_project(site, loops=2, hooks=HOOKS)
    (site / "token").write_text(made.stdout)
    (site / "token").chmod(0o600)
    (site / "agent.yaml").write_text(
        f"platform: {{url: '{url}', token_file: token}}\n"
        "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
    )
    hub = ("--hub", url, "--token-file", str(tmp_path / "operator"))
    created = run_command("experiment", "create", "experiment.yaml", *hub, cwd=site)
    assert created.returncode == 0, created.stderr
    finished = data / "results" / "toy" / "experiment.json"
    with subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", "run"],
        cwd=site,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as agent:
        assert agent.stderr is not None
        lines = []
        for line in agent.stderr:
            lines.append(line)
            if "toy/1 test done" in line:
                agent.send_signal(signal.SIGTERM)
        assert agent.wait() == 0, lines
    shown = run_command("experiment", "show", "toy", *hub, "--json", cwd=site)
    view = json.loads(shown.stdout)
    assert [loop["labels"] for loop in view["loops"]] == [5, 10]
    # It is another process, but on this machine: nothing leaves, so everything is shared.
    assert [loop["hyperparams"] for loop in view["loops"]] == [{"trained": 1}, {"trained": 2}]
    assert view["loops"][0]["agent"] == socket.gethostname()
    assert finished.exists()


def test_a_token_without_the_right_ends_with_77(served: tuple[Path, str], tmp_path: Path) -> None:
    data, url = served
    made = run_command(
        "hub", "token", "create", "eyes", "--scope", "viewer", "--data", str(data), cwd=tmp_path
    )
    write_project(tmp_path / "site")
    (tmp_path / "site" / "token").write_text(made.stdout)
    (tmp_path / "site" / "token").chmod(0o600)
    (tmp_path / "site" / "agent.yaml").write_text(
        f"platform: {{url: '{url}', token_file: token}}\n"
        "pipelines:\n  toy: {hooks: processes.py}\n"
    )
    refused = run_command("run", cwd=tmp_path / "site")
    assert refused.returncode == 77, refused.stderr
    assert "Traceback" not in refused.stderr
    eyes = ("--hub", url, "--token-file", str(tmp_path / "site" / "token"))
    created = run_command("experiment", "create", "experiment.yaml", *eyes, cwd=tmp_path / "site")
    assert created.returncode == 77, created.stderr


def test_a_hub_that_is_not_there_is_75(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "token").write_text("alt_x")
    (tmp_path / "token").chmod(0o600)
    hub = ("--hub", f"http://127.0.0.1:{port}", "--token-file", "token")
    missing = run_command("experiment", "list", *hub, cwd=tmp_path)
    assert missing.returncode == 75
    assert "refused" in missing.stderr
    assert "Traceback" not in missing.stderr
