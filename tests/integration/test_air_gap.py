"""Results that are carried by hand from an agent that is cut off to a real hub, and the receipt."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.main import main
from tests.support.hub_process import Hub
from tests.support.json_outputs import check_output
from tests.support.projects import HOOKS, write_project
from tests.support.relay import Relay
from tests.support.running import Running

pytestmark = pytest.mark.timeout(300)

HELD = HOOKS.replace(
    '    begun(payload, "train")\n',
    '    begun(payload, "train")\n    import threading\n'
    "    while not Path(f\"go{payload['loop']}\").exists():\n"
    "        threading.Event().wait(0.05)\n",
)
"""Each loop trains until there is a file `go` with its number."""
POOL = 20_000
"""So many that the results of infer are parts."""


class Gap:
    """A hub, an agent's machine on a line that can be cut, and a machine that reaches the hub."""

    def __init__(self, folder: Path, hub: Hub, line: Relay) -> None:
        self.hub, self.line = hub, line
        self.site, self.desk = folder / "site", folder / "desk"
        self.desk.mkdir()
        write_project(self.site, loops=3, hooks=HELD, pool=POOL)
        self.token("gpu01", self.site / "token")
        self.token("courier", self.desk / "token")
        (self.site / "agent.yaml").write_text(
            f"platform: {{url: '{line.url}', token_file: token}}\n"
            f"pipelines:\n  toy: {{hooks: processes.py, pool_size: {POOL}}}\n"
        )
        (self.desk / "operator").write_text(hub.operator_token)
        (self.desk / "operator").chmod(0o600)
        settings = {"name": "toy", "pipeline": "toy", "classes": 3, "batch": 5, "loops": 3,
                    "pool": POOL, "strategy": "margin"}  # fmt: skip
        made = hub.operate("POST", "/v1/experiments", {"settings": settings})
        assert made.status_code == 200, made.text

    def token(self, name: str, file: Path, scope: str = "agent") -> None:
        body = {"name": name, "scope": scope}
        made = self.hub.operate("POST", "/v1/tokens", body)
        assert made.status_code == 200, made.text
        file.write_text(made.json()["token"])
        file.chmod(0o600)

    def run(self, *words: str, code: int = 0) -> Result:
        """A command in this process: the agent and the hub are others."""
        done = CliRunner().invoke(main, [*words, "--config", str(self.site / "agent.yaml")])
        assert done.exit_code == code, done.output
        return done

    def here(self, *words: str) -> Any:
        """On the agent's machine."""
        printed = json.loads(self.run(*words, "--json").stdout)
        check_output(" ".join(words[:2]) if words[0] == "outbox" else words[0], printed)
        return printed

    def there(
        self, file: str, *words: str, hub: str = "", token: str = "token", code: int = 0
    ) -> Any:
        """An import where the hub is reached: its JSON, or what it says instead."""
        target = ("--hub", hub or self.hub.url, "--token-file", str(self.desk / token))
        file = str(self.desk / file)
        done = self.run("outbox", "import", file, *target, *words, "--json", code=code)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def loops(self) -> list[dict[str, Any]]:
        view = self.hub.operate("GET", "/v1/experiments/toy").json()
        found: list[dict[str, Any]] = view["loops"]
        return found

    def compute(self, agent: Running, loop: int) -> None:
        """Loop by loop: the line is cut while it trains."""
        agent.until(f"toy/{loop} train started")
        self.line.cut()
        (self.site / f"go{loop}").write_text("")
        agent.until(f"toy/{loop} infer done")


@pytest.fixture
def gap(tmp_path: Path) -> Iterator[Gap]:
    hub = Hub.served(tmp_path / "hub")
    with Relay(urlsplit(hub.url).port or 0) as line:
        yield Gap(tmp_path, hub, line)
    code, said = hub.stop()
    assert code == 0, said


def test_results_cross_a_gap_once(gap: Gap) -> None:
    site, desk = gap.site, gap.desk
    with Running(site) as agent:
        gap.compute(agent, 0)
        listed = gap.here("outbox", "list")
        steps = [(entry["step"], entry["state"]) for entry in listed["results"]]
        assert steps == [("train", "pending"), ("test", "pending"), ("infer", "pending")]
        assert listed["results"][2]["size_bytes"] > 100_000
        told = gap.here("outbox", "export", str(desk / "results.tar"))
        assert (told["messages"], told["left_out"]) == (3, [])
        assert (desk / "results.tar").stat().st_mode & 0o777 == 0o600
        assert gap.here("status")["outbox"]["pending"] == 3, "they stay until acknowledged"

        _refuses_what_is_broken(gap)
        done = gap.there("results.tar")
        assert (done["accepted"], done["superseded"], done["refused"]) == (3, 0, 0)
        assert done["sha256"] == told["sha256"]
        assert gap.loops()[0]["state"] in ("done", "selecting")
        again = gap.there("results.tar")
        assert again["accepted"] == 3, "a repeated key is answered as accepted"

        receipt = str(desk / "results.tar.receipt")
        noted = gap.here("outbox", "import", receipt)
        assert (noted["accepted"], noted["noted"]) == (3, 3)
        assert gap.here("outbox", "import", receipt)["noted"] == 0
        status = gap.here("status")
        assert (status["outbox"]["pending"], status["state"]) == (0, "idle")
        assert status["platform"]["silent_since"] is not None
        states = {each["state"] for each in gap.here("outbox", "list", "--all")["results"]}
        assert states == {"acknowledged"}
    gap.line.mend()
    with Running(site) as agent:  # it would wait for its next try
        gap.compute(agent, 1)
        agent.kill()
    _carries_what_a_dead_agent_left(gap)


def _refuses_what_is_broken(gap: Gap) -> None:
    """One bit, another platform, another scope: nothing is sent."""
    whole = (gap.desk / "results.tar").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    (gap.desk / "broken").write_bytes(flipped)
    assert "refused whole" in gap.there("broken", code=2)
    assert not (gap.desk / "broken.receipt").exists()
    assert [loop["state"] for loop in gap.loops()] == ["running"]
    assert "scope" in gap.there("results.tar", token="operator", code=77)
    other = Hub.served(gap.desk / "other")
    (gap.desk / "other-token").write_text(other.operator_token)
    (gap.desk / "other-token").chmod(0o600)
    assert "E-OUT-02" in gap.there("results.tar", hub=other.url, token="other-token", code=2)
    other.stop()
    assert [path.name for path in gap.desk.iterdir() if path.name.startswith(".")] == []


def _carries_what_a_dead_agent_left(gap: Gap) -> None:
    """The same from a folder without an agent; then it goes on where it was."""
    status = gap.here("status")
    assert (status["is_running"], status["state"]) == (False, "killed")
    assert status["outbox"]["pending"] == 3
    told = gap.run("outbox", "export", str(gap.desk / "more.tar"))
    assert "3 messages" in told.stdout
    gap.there("more.tar", "--receipt", str(gap.desk / "back.json"))
    text = json.loads((gap.desk / "back.json").read_text())
    text["body"]["verdicts"][0]["outcome"] = "superseded"
    (gap.desk / "forged.json").write_text(json.dumps(text))
    forged = gap.run("outbox", "import", str(gap.desk / "forged.json"), code=2)
    assert "E-OUT-01" in forged.stderr
    assert gap.here("outbox", "import", str(gap.desk / "back.json"))["noted"] == 3
    assert gap.here("status")["outbox"]["pending"] == 0
    gap.line.mend()
    (gap.site / "go2").write_text("")
    with Running(gap.site, "--max-jobs", "1") as agent:
        assert agent.end() == 0
    loops = gap.loops()
    assert [(loop["state"], loop["labels"]) for loop in loops] == [
        ("done", 5), ("done", 10), ("done", 15),
    ]  # fmt: skip
