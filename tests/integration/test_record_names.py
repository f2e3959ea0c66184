"""Names of `state()` come to the hub of a real agent, and stand in its results."""

import json
from pathlib import Path

from tests.support.hub_process import Hub, listening_socket
from tests.support.projects import HOOKS, read_experiment, run_command, write_project


def named(count: int) -> str:
    return HOOKS + (
        f"\ndef state(payload):\n    return {{i: 'scän-%d.png' % i for i in range({count})}}\n"
    )


def check_names(folder: Path, loops: int) -> None:
    found = read_experiment(folder)["loops"]
    assert len(found) == loops
    for loop in found:
        assert loop["names"] == [f"scän-{index}.png" for index in loop["selected"]]


def test_results_name_the_samples(tmp_path: Path) -> None:
    agent_yaml = write_project(tmp_path, loops=2, hooks=named(60))
    agent_yaml.write_text(agent_yaml.read_text().replace(", pool_size: 60", ""))
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    check_names(tmp_path, 2)
    (kept,) = (tmp_path / ".alectio" / "hub" / "names").glob("*.jsonl")
    assert kept.read_bytes() == (tmp_path / ".alectio" / "state" / "toy.names").read_bytes()


def test_an_agent_whose_data_has_grown_sends_its_new_names(tmp_path: Path) -> None:
    with listening_socket() as listening:
        hub = Hub.embedded(tmp_path / "hub", listening)
        try:
            site = tmp_path / "site"
            write_project(site, loops=4, hooks=named(60))
            (site / "token").write_text(hub.agent_token)
            (site / "token").chmod(0o600)
            (site / "agent.yaml").write_text(
                f"platform: {{url: '{hub.url}', token_file: token}}\n"
                "pipelines:\n  toy: {hooks: processes.py}\n"
            )
            settings = {"name": "toy", "classes": 3, "batch": 5, "loops": 4, "strategy": "margin"}
            assert hub.operate("POST", "/v1/experiments", {"settings": settings}).ok
            assert run_command("run", "--once", cwd=site).returncode == 0
            (site / "processes.py").write_text(named(80))
            assert run_command("run", "--once", cwd=site).returncode == 0
            assert len(list((tmp_path / "hub" / "names").glob("*.jsonl"))) == 2
            history = hub.operate("GET", "/v1/experiments/toy/history")
            for loop in history.json()["loops"]:
                assert loop["names"] == [f"scän-{index}.png" for index in loop["selected"]]
            assert "scän" in json.loads(history.text)["loops"][0]["names"][0]
        finally:
            hub.kill()
