"""Ours in full: a hub as a service, an agent with a token beside it, hooks that do nothing."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import requests

from benchmarks.marks import Marks
from benchmarks.processes import running, wait_until

AGENT = [sys.executable, "-m", "alectio_agent"]
START_S = 30

HOOKS = """
from pathlib import Path

def train(payload):
    mark("train")
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_bytes(b"x")

def test(payload):
    mark("test")
    return {"predictions": [0, 1] * 5, "labels": [0, 1, 1, 0, 0] * 2}

def infer(payload):
    mark("infer")
    return {"outputs": {index: [0.1 * (index % 7), 1.0] for index in payload["unlabeled"]}}
"""


@dataclass(frozen=True)
class Deployment:
    """A hub that runs, and what an agent needs to reach it.

    Attributes:
        folder: Of the site: `agent.yaml`, hooks, token.
        hub: Its process.
        session: Carries the operator's token.
    """

    folder: Path
    url: str
    hub: "Popen[bytes]"
    session: requests.Session

    def agent(self) -> AbstractContextManager["Popen[bytes]"]:
        """An agent, until the end of the block."""
        return running(self.agent_command, self.folder, "agent.log")

    @property
    def agent_command(self) -> list[str]:
        """As people start it."""
        return [*AGENT, "run", "--config", str(self.folder / "agent.yaml")]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call as the operator."""
        answer = self.session.request(method, self.url + path, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def create(self, name: str, loops: int, **more: Any) -> None:
        """An experiment whose hub has as little to do for a loop as can be: a random sample."""
        settings = {
            "name": name, "task": "classification", "classes": 2, "batch": 1, "loops": loops,
            "pool": loops + 10, "strategy": "random", **more,
        }  # fmt: skip
        self.call("POST", "/v1/experiments", {"settings": settings})

    def state(self, name: str) -> str:
        """Of an experiment, such as `finished`."""
        return self.call("GET", f"/v1/experiments/{name}")["state"]

    def asked(self, name: str) -> list[int]:
        """The samples which people are asked for."""
        queue = self.call("GET", f"/v1/experiments/{name}/labels")
        return [sample["index"] for sample in queue["samples"]]

    def wait_until_finished(self, name: str, seconds: float = 120) -> None:
        """Wait for the end of an experiment."""
        wait_until(lambda: self.state(name) == "finished", seconds, f"the end of {name}")


@contextmanager
def deployed(folder: Path, marks: Marks, keep_warm: str = "forever") -> Iterator[Deployment]:
    """A hub, with everything written for an agent that is not started yet.

    Args:
        folder: Made; for both halves.
        marks: Told when a hook begins.
        keep_warm: As in `agent.yaml`.
    """
    site, data = folder / "site", folder / "hub"
    site.mkdir(parents=True)
    command = [*AGENT, "hub", "serve", "--data", str(data), "--port", "0"]
    with running(command, folder, "hub.log") as hub:
        said = folder / "hub.log"
        wait_until(lambda: "dashboard:" in said.read_text(), START_S, "the hub")
        words = said.read_text().split()
        url = words[words.index("hub:") + 1].rstrip(",")
        session = requests.Session()
        token = next(word for word in words if word.startswith("alt_"))
        session.headers.update({"Authorization": f"Bearer {token}", "Alectio-Protocol": "1"})
        ours = Deployment(site, url, hub, session)
        made = ours.call("POST", "/v1/tokens", {"name": "bench", "scope": "agent"})
        _write_site(site, marks, url, keep_warm)
        (site / "token").touch(0o600)
        (site / "token").write_text(made["token"])
        yield ours


def _write_site(site: Path, marks: Marks, url: str, keep_warm: str) -> None:
    (site / "processes.py").write_text(marks.job + HOOKS)
    (site / "agent.yaml").write_text(
        f"platform: {{url: '{url}', token_file: token}}\n"
        f"pipelines:\n  noop: {{hooks: processes.py, pool_size: 100000, keep_warm: {keep_warm}}}\n"
    )
