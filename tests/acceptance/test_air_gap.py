"""Results that are carried by hand from an agent that is cut off to a real hub, and the receipt."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.hub_process import Hub
from tests.support.projects import HOOKS, run_command, write_project
from tests.support.relay import Relay
from tests.support.running import Running

pytestmark = pytest.mark.timeout(300)

HELD = HOOKS.replace(
    '    begun(payload, "train")\n',
    '    begun(payload, "train")\n    import threading\n'
    '    while not Path(f"go{payload[\'loop\']}").exists():\n'
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
        self.run(
            "experiment", "create", str(self.site / "experiment.yaml"), "--hub", hub.url,
            "--token-file", "operator", at=self.desk,
        )  # fmt: skip

    def token(self, name: str, file: Path, scope: str = "agent") -> None:
        body = {"name": name, "scope": scope}
        made = self.hub.operate("POST", "/v1/tokens", body)
        assert made.status_code == 200, made.text
        file.write_text(made.json()["token"])
        file.chmod(0o600)

    def run(self, *words: str, at: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_command(*words, cwd=at)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def here(self, *words: str, code: int = 0) -> Any:
        """On the agent's machine, as JSON."""
        return json.loads(self.run(*words, "--json", at=self.site, code=code).stdout)

    def there(self, file: str, *words: str, code: int = 0) -> Any:
        """An import where the hub is reached."""
        hub = ("--hub", self.hub.url, "--token-file", "token")
        done = self.run("outbox", "import", file, *hub, *words, "--json", at=self.desk, code=code)
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
        assert told["sha256"] in gap.run("outbox", "export", str(desk / "twin"), at=site).stdout or (
            gap.here("status")["outbox"]["pending"] == 3
        )
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
        gap.compute(agent, 1)
        agent.kill()
    _carries_what_a_dead_agent_left(gap)


def _refuses_what_is_broken(gap: Gap) -> None:
    """One bit, a cut, something behind it, another platform, another scope: nothing is sent."""
    whole = (gap.desk / "results.tar").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for broken in (bytes(flipped), whole[:-600], whole[: len(whole) // 2], whole + b"\0", b"x"):
        (gap.desk / "broken").write_bytes(broken)
        said = gap.there("broken", code=2)
        assert "E-OUT-01" in said
        assert "refused whole" in said
    assert not (gap.desk / "broken.receipt").exists()
    assert [loop["state"] for loop in gap.loops()] == ["running"]
    hub = ("--hub", gap.hub.url, "--token-file", "operator")
    refused = gap.run("outbox", "import", "results.tar", *hub, at=gap.desk, code=77)
    assert "scope" in refused.stderr
    other = Hub.served(gap.desk / "other")
    (gap.desk / "other-token").write_text(other.operator_token)
    (gap.desk / "other-token").chmod(0o600)
    hub = ("--hub", other.url, "--token-file", "other-token")
    elsewhere = gap.run("outbox", "import", "results.tar", *hub, at=gap.desk, code=2)
    assert "E-OUT-02" in elsewhere.stderr
    other.stop()
    assert [path.name for path in gap.desk.iterdir() if path.name.startswith(".")] == []


def _carries_what_a_dead_agent_left(gap: Gap) -> None:
    """The same from a folder without an agent; then it goes on where it was."""
    status = gap.here("status")
    assert (status["is_running"], status["state"]) == (False, "killed")
    assert status["outbox"]["pending"] == 3
    told = gap.run("outbox", "export", str(gap.desk / "more.tar"), at=gap.site)
    assert "3 messages" in told.stdout
    gap.there("more.tar", "--receipt", "back.json")
    text = json.loads((gap.desk / "back.json").read_text())
    text["body"]["verdicts"][0]["outcome"] = "superseded"
    (gap.desk / "forged.json").write_text(json.dumps(text))
    forged = gap.run("outbox", "import", str(gap.desk / "forged.json"), at=gap.site, code=2)
    assert "E-OUT-01" in forged.stderr
    assert gap.here("outbox", "import", str(gap.desk / "back.json"))["noted"] == 3
    assert gap.here("status")["outbox"]["pending"] == 0
    gap.line.mend()
    (gap.site / "go2").write_text("")
    done = gap.run("run", "--until-done", at=gap.site)
    assert "1 job done" in done.stderr
    loops = gap.loops()
    assert [(loop["state"], loop["labels"]) for loop in loops] == [
        ("done", 5), ("done", 10), ("done", 15),
    ]  # fmt: skip
