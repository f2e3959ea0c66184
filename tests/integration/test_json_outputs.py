"""What commands really print with --json, held against the published schemas."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.cli.schemas import OUTPUTS
from tests.support.hub_process import Hub
from tests.support.json_outputs import check_output
from tests.support.projects import write_project
from tests.support.running import Running

pytestmark = pytest.mark.timeout(300)

ELSEWHERE = {"run", "outbox import"}
"""Seen by the tests of the whole way: run with the hub in the box, and over an air gap."""
SAME_PRINT = {"experiment retry", "experiment reassign"}
"""They print as `experiment pause` does, and need something that failed or hangs."""


class Desk:
    """Runs commands in this process, and remembers which were looked at."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.site, self.hub = folder / "site", hub
        self.seen: set[str] = set()
        write_project(self.site, loops=2)
        made = hub.operate("POST", "/v1/tokens", {"name": "gpu01", "scope": "agent"})
        for name, token in (("token", made.json()["token"]), ("operator", hub.operator_token)):
            (self.site / name).write_text(token)
            (self.site / name).chmod(0o600)
        (self.site / "agent.yaml").write_text(
            f"platform: {{url: '{hub.url}', token_file: token}}\n"
            "experiment: experiment.yaml\n"
            "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
        )

    def __call__(self, command: str, *words: str, typed: str = "") -> Any:
        """About the agent."""
        return self.run(command, *words, "--config", str(self.site / "agent.yaml"), typed=typed)

    def on_hub(self, command: str, *words: str) -> Any:
        """About the hub."""
        where = ("--hub", self.hub.url, "--token-file", str(self.site / "operator"))
        return self.run(command, *words, *where)

    def run(self, command: str, *words: str, typed: str = "") -> Any:
        """Run it, and hold its output against its schema."""
        called = command.partition(" --")[0].split()
        done = CliRunner().invoke(main, [*called, *words, "--json"], input=typed)
        assert done.exit_code == 0, f"{command}: {done.output}"
        lines = command == "logs"
        found = [json.loads(each) for each in done.stdout.splitlines()] if lines else None
        printed = found if found is not None else json.loads(done.stdout)
        check_output(command, printed)
        self.seen.add(command)
        return printed


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    hub = Hub.served(tmp_path / "hub")
    monkeypatch.chdir(tmp_path)
    yield Desk(tmp_path, hub)
    hub.stop()


def test_every_command_prints_what_its_schema_says(desk: Desk, tmp_path: Path) -> None:
    _on_this_machine(desk, tmp_path)
    _about_experiments(desk, tmp_path)
    _about_an_agent(desk, tmp_path)
    _about_its_place(desk, tmp_path)
    told = {command for output in OUTPUTS.values() for command in output.commands}
    assert told - desk.seen == ELSEWHERE | SAME_PRINT, "each is looked at here, or named above"


def _on_this_machine(desk: Desk, folder: Path) -> None:
    desk.run("version")
    desk.run("explain", "E-OUT-01")
    desk.run("explain")
    desk.run("completion", "bash")
    desk.run("init", str(folder / "new"))
    desk("config show")
    desk("config show", "--origin")
    desk("check", "--offline")
    desk("doctor", "--offline")
    desk("try")


def _about_experiments(desk: Desk, folder: Path) -> None:
    hub = desk.on_hub
    hub("experiment create", str(desk.site / "experiment.yaml"))
    hub("experiment pause", "toy")
    hub("experiment resume", "toy")
    hub("jobs --hub")
    with Running(desk.site, "--max-jobs", "2") as agent:
        assert agent.end() == 0
    assert hub("experiment show", "toy")["loops"][1]["metrics"]
    hub("experiment list")
    hub("experiment diff", "toy", "0", "1")
    hub("experiment report", "toy", "--output", str(folder / "report.html"))
    hub("experiment export", "toy", "--output", str(folder / "exported"))
    twin = str(folder / "exported" / "toy" / "experiment.json")
    hub("experiment compare", "toy", twin, "--output", str(folder / "two.html"))
    hub("experiment extend", "toy", "--loops", "4")
    hub("experiment rewind", "toy")
    hub("experiment cancel", "toy")
    settings = (desk.site / "experiment.yaml").read_text().replace("toy", "asked")
    (folder / "asked.yaml").write_text(f"{settings}pipeline: toy\nlabels: {{kind: csv}}\n")
    hub("experiment create", str(folder / "asked.yaml"))
    asked = folder / "asked.csv"
    hub("experiment labels export", "asked", "--output", str(asked))
    head, *rows = asked.read_text().splitlines()
    at = head.split(",").index("label")
    filled = [row.split(",") for row in rows]
    for cells in filled:
        cells[at] = "1"
    asked.write_text("\n".join([head, *(",".join(cells) for cells in filled)]))
    hub("experiment labels import", "asked", str(asked))
    hub("experiment labels status", "asked")
    hub("experiment cancel", "asked")
    hub("hub token create", "eyes", "--scope", "viewer")
    hub("hub token list")
    hub("hub token revoke", "eyes")


def _about_an_agent(desk: Desk, folder: Path) -> None:
    desk("jobs")
    desk("logs")
    assert desk("outbox list", "--all")["results"]
    assert desk("outbox export", str(folder / "nothing.tar"))["file"] is None
    assert desk("status")["is_running"] is False
    desk("outbox retry")
    desk("pause", "--note", "lunch")
    assert desk("status")["paused"]["note"] == "lunch"
    with Running(desk.site) as agent:
        agent.until("registered as")
        assert desk("status")["is_running"]
        for command in ("pause", "resume", "outbox retry", "reload"):
            assert desk(command)["is_running"], command
        assert desk("restart", "--wait")["is_running"]
        desk("stop", "--wait")
        assert agent.end() == 0


def _about_its_place(desk: Desk, folder: Path) -> None:
    """What operators do around an agent that has worked."""
    token = (desk.site / "token").read_text()
    desk("enroll", desk.hub.url, typed=f"{token}\n")
    assert desk("audit")
    desk("audit --verify", "--verify")
    desk("audit --explain", "--explain")
    desk("support-bundle", str(folder / "bundle.tar.gz"), "--yes")
    elsewhere = ("--root", str(folder / "root"))
    desk("service print-unit", "--gpu")
    desk("service install", *elsewhere)
    desk("service uninstall", *elsewhere)
    (agent,) = desk.on_hub("hub agents list")["agents"]
    desk.on_hub("hub agents remove", agent["name"])
    desk.run("hub backup", str(folder / "hub.tar"), "--data", str(folder / "hub"))
