"""A hub and its agents as real processes, started again when they die, as services are."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import requests
from sqlalchemy import Connection, select

from alectio_agent.hub.results.marks import read_mark
from alectio_agent.hub.results.worker import HubReader
from alectio_agent.hub.store.tables import experiments
from tests.support.projects import without_times

COMMAND = [sys.executable, "-m", "alectio_agent"]
LOOK_S = 0.01
PATIENCE_S = 60.0
MOST_DIFFERENCES = 10
PAUSE = threading.Event()
"""Never set: waits are looks at a state, each a moment later."""

# A nearest-mean classifier whose checkpoint carries its sums on: a loop that began from nothing, or
# from another checkpoint, gives other scores. Each step lasts a while, so that it can be killed.
HOOKS = """
import json, os, random, threading
from pathlib import Path

CLASSES = 3
LASTS_S = float(os.environ.get("STEP_S", "0"))
WAITS = random.Random(os.getpid())

def point(index):
    return [((index * 7919) % 101) / 101 + index % CLASSES, ((index * 104729) % 97) / 97]

def last():
    threading.Event().wait(WAITS.uniform(0, LASTS_S))

def train(payload):
    last()
    model = {"trained": 0, "sums": [[0.0, 0.0, 0] for _ in range(CLASSES)]}
    if payload["resume_from"]:
        before = json.loads(Path(payload["ckpt_dir"], payload["resume_from"]).read_text())
        model["trained"] = before["trained"]
    for index in payload["labeled"]:
        x, y = point(index)
        total = model["sums"][index % CLASSES]
        total[0] += x; total[1] += y; total[2] += 1
    model["trained"] += 1
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))
    return {"hyperparams": {"trained": model["trained"]}}

def load(payload):
    last()
    return json.loads(Path(payload["ckpt_dir"], payload["ckpt_file"]).read_text())

def scores(model, index):
    x, y = point(index)
    carried = model["trained"] / 1000
    return [
        -9.0 if n == 0 else carried - ((x - sx / n) ** 2 + (y - sy / n) ** 2)
        for sx, sy, n in model["sums"]
    ]

def test(payload):
    model, chosen = load(payload), range(100000, 100040)
    rows = {index: scores(model, index) for index in chosen}
    return {
        "predictions": {index: row.index(max(row)) for index, row in rows.items()},
        "labels": {index: index % CLASSES for index in chosen},
    }

def infer(payload):
    model = load(payload)
    return {"outputs": {index: scores(model, index) for index in payload["unlabeled"]}}
"""


class TortureError(AssertionError):
    """Something was lost, counted twice, left over, or did not end."""


def fail(what: str) -> NoReturn:
    """End the torture."""
    raise TortureError(what)


@dataclass
class Agent:
    """One agent of a site.

    Attributes:
        begun_at: Where in its log the newest start begins.
    """

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    begun_at: int = 0

    @property
    def state_dir(self) -> Path:
        return self.folder / ".alectio"

    @property
    def log(self) -> Path:
        return self.folder / "agent.log"

    @property
    def is_at_rest(self) -> bool:
        """Whether it has registered since its start, and everything was delivered and removed."""
        said = self.log.read_bytes()[self.begun_at :]
        return b"registered as" in said and not any((self.state_dir / "outbox").iterdir())


@dataclass
class Site:
    """A hub with its agents in one folder.

    Attributes:
        folder: Everything lies below it.
        step_s: Hooks wait up to so long in each step.
        pools: Size of each agent's pool; one pipeline and one experiment for each.
        via: Where agents reach the hub, when not directly: told the hub's port, gives the port.
    """

    folder: Path
    step_s: float = 0.0
    pools: tuple[int, ...] = (60,)
    via: Callable[[int], int] = field(default=lambda port: port)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.hub: subprocess.Popen[bytes] | None = None
        self.session = requests.Session()
        self.start_hub()
        wait_until(lambda: "alt_" in self._hub_log(), "the hub")
        token = next(word for word in self._hub_log().split() if word.startswith("alt_"))
        self.session.headers.update({"Authorization": f"Bearer {token}", "Alectio-Protocol": "1"})
        made = self.call("POST", "/v1/tokens", {"name": "agents", "scope": "agent"})
        port = self.via(self.port)
        self.agents = [
            self._write(number, pool, made["token"], port) for number, pool in enumerate(self.pools)
        ]

    def start_hub(self) -> None:
        """Start the hub's process; it may not serve yet."""
        command = [*COMMAND, "hub", "serve", "--data", self._data, "--port", str(self.port)]
        self.hub = self._start(command, self.folder, "hub.log")

    def start_agent(self, agent: Agent) -> None:
        """Start an agent's process."""
        agent.begun_at = agent.log.stat().st_size if agent.log.exists() else 0
        agent.process = self._start([*COMMAND, "run"], agent.folder, "agent.log")

    def keep_alive(self) -> None:
        """Start again what was killed; anything else that ended is wrong."""
        if self.hub is not None and (code := self.hub.poll()) is not None:
            self._check_end("the hub", code, self._hub_log())
            self.start_hub()
        for agent in self.agents:
            if agent.process is not None and (code := agent.process.poll()) is not None:
                self._check_end("the agent", code, agent.log.read_text())
                self.start_agent(agent)

    def reap(self, pids: list[int]) -> None:
        """Wait for the end of processes of ours that were killed."""
        for process in [self.hub, *(agent.process for agent in self.agents)]:
            if process is not None and process.pid in pids:
                process.wait()

    def settle(self) -> None:
        """Wait for agents to deliver everything and remove what was acknowledged, then for results.

        A hub that stops leaves the scores of the last loop to the next one when its worker was just
        killed, and the files that take it longer than seconds.
        """

        def is_delivered() -> bool:
            self.keep_alive()
            return all(agent.is_at_rest for agent in self.agents if agent.process is not None)

        def is_written() -> bool:
            self.keep_alive()
            made = HubReader(self._data / "hub.db")(_read_experiments)
            return all(
                state == "finished" and self._has_results(name, version)
                for name, state, version in made
            )

        wait_until(is_delivered, "empty outboxes", 120)
        wait_until(is_written, "results files", 120)

    def create(self, name: str, loops: int, batch: int = 2) -> None:
        """An experiment for each pipeline; a step that was killed is tried again for ever."""
        for number, _ in enumerate(self.pools):
            settings = {
                "name": f"{name}-{number}", "pipeline": f"toy{number}", "task": "classification",
                "classes": 3, "batch": batch, "loops": loops, "retries": 1000000,
                "strategy": [{"name": "margin", "share": 0.9}, {"name": "random", "share": 0.1}],
            }  # fmt: skip
            self.call("POST", "/v1/experiments", {"settings": settings})

    def loops_done(self, name: str) -> int:
        """Complete loops of the experiments of that name, all together; -1 without an answer."""
        try:
            found = [
                self.call("GET", f"/v1/experiments/{name}-{n}") for n in range(len(self.pools))
            ]
        except (requests.RequestException, ValueError):
            return -1  # the hub is down
        for one in found:
            if one["state"] == "waiting":
                fail(f"{one['name']} waits for a person: {one['reason']}")
        return sum(loop["state"] == "done" for one in found for loop in one["loops"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call as the operator, not through `via`."""
        answer = self.session.request(method, self.url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def stop(self) -> None:
        """Stop all as an operator does, the hub last."""
        for agent in self.agents:
            if agent.process is not None:
                self._stop(agent.process, f"agent {agent.folder.name}")
                agent.process = None
        if self.hub is not None:
            self._stop(self.hub, "the hub")
            self.hub = None

    def kill(self) -> None:
        """End whatever still runs, when something went wrong."""
        for process in [self.hub, *(agent.process for agent in self.agents)]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def history(self, name: str) -> list[Any]:
        """What the hub keeps of the experiments of that name; the hub has stopped."""
        files = (
            self._data / "results" / f"{name}-{number}" / "experiment.json"
            for number in range(len(self.pools))
        )
        return [without_times(json.loads(file.read_text())) for file in files]

    @property
    def data(self) -> Path:
        """The hub's folder."""
        return self._data

    @property
    def _data(self) -> Path:
        return self.folder / "hub"

    def _has_results(self, name: str, version: int) -> bool:
        mark = read_mark(self._data / "results" / name)
        return mark.version == version and mark.report == {name: version}

    def _hub_log(self) -> str:
        return (self.folder / "hub.log").read_text(errors="replace")

    def _write(self, number: int, pool: int, token: str, port: int) -> Agent:
        folder = self.folder / f"agent{number}"
        folder.mkdir()
        (folder / "processes.py").write_text(HOOKS)
        (folder / "token").touch(0o600)
        (folder / "token").write_text(token)
        (folder / "agent.yaml").write_text(
            f"platform: {{url: 'http://127.0.0.1:{port}', token_file: token}}\n"
            f"pipelines:\n  toy{number}:\n    hooks: processes.py\n    pool_size: {pool}\n"
            f"    env: {{STEP_S: '{self.step_s}'}}\n"
            "outbox: {keep_sent: 0s}\nclaim: {min_free_disk: 0}\n"
        )
        return Agent(folder)

    def _start(self, command: list[Any], folder: Path, log: str) -> "subprocess.Popen[bytes]":
        with (folder / log).open("ab") as said:
            return subprocess.Popen(
                [str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    def _check_end(self, who: str, code: int, said: str) -> None:
        if code != -signal.SIGKILL:
            fail(f"{who} ended with {code}:\n{said[-3000:]}")
        if "Traceback" in said:
            fail(f"{who} printed a traceback:\n{said[-3000:]}")

    def _stop(self, process: "subprocess.Popen[bytes]", who: str) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            fail(f"{who} did not stop within {PATIENCE_S:g} s")
        if code != 0:
            fail(f"{who} ended with {code} when it was stopped")


def wait_until(is_so: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again; the torture fails when it never is so."""
    ends_s = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > ends_s:
            fail(f"waited {patience_s:g} s in vain for {what}")
        PAUSE.wait(LOOK_S)


def _read_experiments(tx: Connection) -> list[tuple[str, str, int]]:
    """Name, state and version of each experiment."""
    columns = experiments.c
    return [tuple(row) for row in tx.execute(select(columns.name, columns.state, columns.version))]


def check_history(found: Any, expected: Any, whose: str) -> None:
    """A history must be that of the calm run; the first differences are told with their places.

    Args:
        found: Of the tortured run.
        expected: Of the calm run.
        whose: For the message.
    """
    told = list(islice(_differences(found, expected, ""), MOST_DIFFERENCES))
    if told:
        fail("\n".join([f"{whose}: the history is not that of the calm run:", *told]))


def _differences(found: Any, expected: Any, place: str) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted(found.keys() | expected.keys()):
            yield from _differences(found.get(key), expected.get(key), f"{place}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for number, pair in enumerate(zip(found, expected, strict=True)):
            yield from _differences(*pair, f"{place}[{number}]")
    elif found != expected:
        yield f"{place}: {str(found)[:200]}, not {str(expected)[:200]}"


def processes_of(folder: Path) -> dict[int, str]:
    """Processes that carry a folder in their command line or environment, with the command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not re.fullmatch(r"\d+", entry.name) or int(entry.name) == os.getpid():
            continue
        try:
            line, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            works_in = str((entry / "cwd").readlink())
        except OSError:
            continue
        wanted = str(folder)
        if wanted.encode() in line + environment or works_in.startswith(wanted):
            found[int(entry.name)] = line.replace(b"\0", b" ").decode(errors="replace").strip()
    return found
