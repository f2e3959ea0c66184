"""`notify.command` of a real run: what happens reaches it, and nothing of the agent's secrets."""

import json
from pathlib import Path
from typing import Any

from tests.support.projects import HOOKS, run_command, write_project

NOTIFY = "notify: {command: 'cat >> events; env >> variables'}\n"


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events").read_text().splitlines()]


def test_a_run_tells_of_the_job_that_failed_and_of_the_end(tmp_path: Path) -> None:
    failing = HOOKS.replace('    begun(payload, "test")\n', "    raise ValueError('no data')\n")
    write_project(tmp_path, loops=2, hooks=failing, agent=NOTIFY)
    assert run_command("run", cwd=tmp_path).returncode == 3
    (tmp_path / "processes.py").write_text(HOOKS)
    secret = {"ALECTIO_AGENT_TOKEN_FILE": "/run/secret", "CREDENTIALS_DIRECTORY": "/run/c"}
    ran = run_command("run", cwd=tmp_path, environment=secret)
    assert ran.returncode == 0, ran.stderr
    failed, finished = events(tmp_path)
    assert failed["event"] == "failed"
    assert (failed["job"], failed["step"], failed["class"]) == ("toy/0", "test", "user_code")
    assert "ValueError: no data" in failed["message"]
    assert finished["event"] == "finished"
    assert (finished["experiment"], finished["loops"]) == ("toy", 2)
    assert finished["agent"] == failed["agent"] != ""
    variables = (tmp_path / "variables").read_text()
    assert "PATH=" in variables
    assert "/run/" not in variables


def test_a_command_that_fails_changes_nothing_about_the_run(tmp_path: Path) -> None:
    write_project(tmp_path, loops=1, agent="notify: {command: 'echo no such relay; exit 7'}\n")
    ran = run_command("run", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert (
        "notify.command: not passed on: `finished` of toy: exit code 7; it printed last: no such "
        "relay" in ran.stderr
    )


def test_only_the_events_that_are_wanted_are_told(tmp_path: Path) -> None:
    agent = "notify: {command: 'cat >> events', on: [failed]}\n"
    write_project(tmp_path, loops=1, agent=agent)
    assert run_command("run", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "events").exists()
