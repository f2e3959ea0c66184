"""A hub of its own and an agent beside it, both real processes, in one folder."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.hub_process import Hub
from tests.support.projects import HOOKS

SERVED = """
platform: {{url: '{url}', token_file: token}}
claim: {{min_free_disk: 0}}
pipelines:
  toy: {{hooks: processes.py, pool_size: 60{keys}}}
"""

# Each step tells which GPUs it sees, and waits until the test lets it go on.
WAITING = (
    HOOKS.replace("def begun(payload, step):\n    folder", "def noted(payload, step):\n    folder")
    + """
import threading

def begun(payload, step):
    noted(payload, step)
    folder = Path(os.environ["BEGUN_FOLDER"])
    experiment = Path(payload["ckpt_dir"]).name
    seen = Path(folder, "gpus-" + experiment)
    seen.write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))
    while not Path(folder, "go").exists():
        threading.Event().wait(0.01)
"""
)


class Site:
    """A folder with an `agent.yaml` for a hub that is served from there too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun = folder / "begun"
        self.begun.mkdir()
        self.hub = Hub.served(folder / "hub")
        (folder / "token").write_text(self.hub.new_token("gpu01"))
        (folder / "token").chmod(0o600)
        self.agents: list[subprocess.Popen[str]] = []

    def write(self, *, hooks: str = WAITING, keys: str = "", more: str = "") -> None:
        """The agent's files; `keys` are more of the pipeline's, `more` sections."""
        (self.folder / "processes.py").write_text(hooks)
        text = SERVED.format(url=self.hub.url, keys=keys)
        (self.folder / "agent.yaml").write_text(text + more)

    def create(self, *names: str, loops: int = 1) -> None:
        """Experiments for the pipeline."""
        for name in names:
            settings = {"name": name, "pipeline": "toy", "classes": 3, "batch": 5,
                        "loops": loops, "pool": 60, "strategy": "random"}  # fmt: skip
            answer = self.hub.operate("POST", "/v1/experiments", {"settings": settings})
            assert answer.status_code == 200, answer.text

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """An agent; what it says is in its stderr."""
        agent = subprocess.Popen(
            [sys.executable, "-m", "alectio_agent", "run", *words],
            cwd=self.folder,
            env={**os.environ, "BEGUN_FOLDER": str(self.begun)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.agents.append(agent)
        return agent

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Look again and again; the limit of a test ends it when it never is."""
        pause = threading.Event()
        while not is_so():
            assert self.agents[-1].poll() is None, self.agents[-1].communicate()
            pause.wait(0.01)

    def wait_for(self, *steps: str) -> None:
        """Until the hooks have begun these steps, each as `experiment-loop-step`."""
        self.wait_until(lambda: all((self.begun / step).exists() for step in steps))

    def let_go(self) -> None:
        """The hooks go on."""
        (self.begun / "go").touch()

    def pid(self, step: str) -> int:
        """Of the hook process that began a step."""
        return int((self.begun / step).read_text())

    def close(self) -> None:
        self.let_go()
        for agent in self.agents:
            if agent.poll() is None:
                agent.send_signal(signal.SIGKILL)
            agent.communicate()
        self.hub.stop()
