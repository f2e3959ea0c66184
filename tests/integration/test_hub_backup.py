"""A backup of a hub that works, and the way back that docs/backup.md tells."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import Hub
from tests.support.results import until

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def hubs() -> Iterator[list[Hub]]:
    made: list[Hub] = []
    yield made
    for hub in made:
        hub.kill()


def serve(hubs: list[Hub], data: Path) -> Hub:
    hubs.append(Hub.served(data))
    return hubs[-1]


def alectio(*words: object) -> Result:
    clean = {"ALECTIO_HUB": None, "ALECTIO_HUB_TOKEN_FILE": None}
    return CliRunner().invoke(main, ["hub", *map(str, words)], env=clean)


def view(hub: Hub) -> dict[str, Any]:
    found: dict[str, Any] = hub.operate("GET", "/v1/experiments/digits").json()
    return found


def commands(heading: str) -> list[str]:
    """The indented commands of a section of docs/backup.md."""
    text = (DOCS / "backup.md").read_text("utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^    (\S.*)$", section, re.MULTILINE)


@pytest.mark.timeout(180)  # two hubs, and a command after the other
def test_an_experiment_goes_on_from_the_copy_as_the_page_says(
    hubs: list[Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands are those of the page, in its order; the hub works while it is copied."""
    monkeypatch.chdir(tmp_path)
    first = serve(hubs, tmp_path / "alectio-hub")
    made = alectio("token", "create", "gpu01", "--data", "alectio-hub")
    first.agent_token = made.stdout.strip()
    create_experiment(first, loops=3)
    agent = HubAgent(first)
    agent.run_loop()
    job = agent.claim()
    agent.beat(job)
    agent.deliver(job, upto="train")
    copied, verified = commands("Make a copy")[:2]
    for line in (copied, verified):
        result = alectio(*line.split()[2:])
        assert result.exit_code == 0, result.output
        assert "read again: whole" in result.stdout
    assert Path("hub.tar").stat().st_mode & 0o777 == 0o600
    agent.deliver(job)  # after the copy: the agent is ahead of it
    first.kill()
    *unpack, start = commands("Bring it back")
    subprocess.run(" && ".join(unpack), shell=True, check=True)
    assert start.startswith("alectio-agent hub serve --data ")
    second = serve(hubs, tmp_path / start.split()[-1])
    second.operator_token, second.agent_token = first.operator_token, first.agent_token
    assert [loop["state"] for loop in view(second)["loops"]] == ["done", "running"]
    agent.hub = second
    assert agent.poll().json()["type"].endswith("unknown-agent")
    agent.register(holding=(job["lease"],))
    agent.deliver(job)  # under the keys of before, as an agent's outbox does
    agent.run_loop()
    until(lambda: view(second)["state"] == "finished")
    assert [loop["labels"] for loop in view(second)["loops"]] == [4, 8, 12]
    looks_at_agents_and_tokens(second, agent, tmp_path)


def looks_at_agents_and_tokens(hub: Hub, agent: HubAgent, folder: Path) -> None:
    """The commands about agents and tokens, on the hub that runs anyway."""
    data = folder / "restored"
    listed = alectio("agents", "list", "--data", data).stdout
    assert re.search(r"^gpu01 +idle +\S.* ago +1 +digits +-", listed, re.MULTILINE), listed
    used = re.compile(r"^gpu01 +agent +\S+ +never +\d{4}-\d\d-\d\d \d\d:\d\dZ", re.MULTILINE)
    until(lambda: used.search(alectio("token", "list", "--data", data).stdout) is not None)
    missing = alectio("agents", "remove", "nobody", "--data", data)
    assert (missing.exit_code, "E-HUB-07" in missing.stderr) == (2, True)
    twin = HubAgent(hub, "gpu01", installation_id="of-another-machine")
    twice = alectio("agents", "remove", "gpu01", "--data", data)
    assert twice.exit_code == 2
    assert twin.agent_id in twice.stderr
    removed = alectio("agents", "remove", twin.agent_id, "--data", data)
    assert removed.exit_code == 0
    assert "will register again" in removed.stderr
    assert alectio("agents", "remove", "gpu01", "--data", data, "--json").exit_code == 0
    assert json.loads(alectio("agents", "list", "--data", data, "--json").stdout) == {"agents": []}
    agent.register()
    assert "gpu01" in alectio("agents", "list", "--data", data).stdout
