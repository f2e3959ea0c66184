"""A real agent and a real hub tell a real socket what systemd wants to know."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.lifeline import Lifeline
from alectio_agent.agent.service.snapshot import AgentSnapshot
from alectio_agent.agent.service.stop_plan import StopRules
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.notify_socket import NotifySocket
from tests.support.clocks import HurriedClock
from tests.support.notified import Notified
from tests.support.projects import HOOKS, run_command
from tests.support.running import Running
from tests.support.sites import WAITING, Site

pytestmark = pytest.mark.timeout(120)

WATCHDOG_S = 3.0
TELLING = WAITING.replace(
    "    noted(payload, step)\n",
    "    noted(payload, step)\n"
    "    import json\n"
    '    Path(os.environ["BEGUN_FOLDER"], "variables").write_text(json.dumps(dict(os.environ)))\n',
)
SECRETS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID")


@pytest.fixture
def heard() -> Iterator[Notified]:
    with Notified() as notified:
        yield notified


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.write(hooks=TELLING)
    yield made
    made.close()


def test_an_agent_is_ready_lives_reloads_and_stops(
    site: Site, heard: Notified, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in heard.environment(WATCHDOG_S).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    agent = site.start()
    ready = heard.until("READY=1")
    assert "WATCHDOG=1" in ready
    heard.until("STATUS=waiting for a job")
    heard.until("WATCHDOG=1")

    agent.send_signal(signal.SIGHUP)
    begun = heard.until("RELOADING=1")
    assert begun[1].startswith("MONOTONIC_USEC=")
    assert 0 < int(begun[1].partition("=")[2]) <= SystemClock().monotonic() * 1e6
    assert heard.until("READY=1") == ["READY=1"]

    site.create("toy")
    site.wait_for("toy-0-train")
    assert "STATUS=working at toy/0 train" in heard.until("STATUS=working")
    variables = json.loads((site.begun / "variables").read_text())
    assert [name for name in SECRETS if name in variables] == []

    agent.send_signal(signal.SIGTERM)
    stopping = heard.until("STOPPING=1")
    assert "EXTEND_TIMEOUT_USEC=90000000" in stopping
    again = heard.until("EXTEND_TIMEOUT_USEC=")
    assert "WATCHDOG=1" in again
    assert "STATUS=stopping; in hand: toy/0 train" in heard.lines
    site.let_go()
    assert agent.wait(60) == 0
    assert "READY=1" not in heard.rest()


OUTAGE = """
platform: {url: 'http://127.0.0.1:1', token_file: token}
claim: {min_free_disk: 0}
pipelines:
  toy: {hooks: processes.py, pool_size: 60}
"""


NO_WORK = "STATUS=not registered yet; no work from the platform: http://127.0.0.1:1: no answer"


def test_an_outage_neither_delays_the_start_nor_starves_the_watchdog(tmp_path: Path) -> None:
    """A machine that boots before its network must come up; a path, and no abstract name."""
    (tmp_path / "processes.py").write_text(HOOKS)
    (tmp_path / "agent.yaml").write_text(OUTAGE)
    (tmp_path / "token").write_text("alt_x\n")
    (tmp_path / "token").chmod(0o600)
    with Notified(tmp_path) as heard:
        variables = heard.environment(WATCHDOG_S)
        with Running(tmp_path, environment=variables) as agent:
            told = heard.until("READY=1")
            while NO_WORK not in "\n".join(told):  # it may have failed before all stood
                told = heard.until("STATUS=")
            for _ in range(3):
                heard.until("WATCHDOG=1")

            done = run_command("restart", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert "STATUS=starting again" in heard.until("RELOADING=1")
            heard.until("READY=1")
            heard.until("WATCHDOG=1")
            assert "STOPPING=1" not in heard.lines

            agent.process.send_signal(signal.SIGTERM)
            heard.until("STOPPING=1")
            assert agent.end() == 0


def test_a_hub_is_ready_when_it_serves_and_prints_no_token_inside_a_unit(
    tmp_path: Path, heard: Notified
) -> None:
    unit = {"ALECTIO_UNIT": "alectio-hub.service"}
    words = ["hub", "serve", "--data", str(tmp_path / "hub"), "--port", "0"]
    hub = subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", *words],
        env={**os.environ, **heard.environment(), **unit},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert heard.until("READY=1")[1].startswith("STATUS=serving at http://127.0.0.1:")
    hub.send_signal(signal.SIGTERM)
    heard.until("STOPPING=1")
    printed, _ = hub.communicate(timeout=60)
    assert hub.returncode == 0
    assert "alt_" not in printed


class Loop:
    """A step object that waits in peace, until it is told to hang in its turn."""

    def __init__(self) -> None:
        self.wake, self.hangs, self.goes_on = Event(), Event(), Event()
        self.is_idle, self.is_failing = True, False

    def step(self) -> float:
        if self.hangs.is_set():
            self.goes_on.wait()
        return 3600.0


def agent_of(poll: Loop, sender: Loop, clock: HurriedClock) -> Agent:
    """A real agent, but for what its loops do."""
    return Agent(
        SimpleNamespace(  # type: ignore[arg-type]
            poll_loop=poll, sender=sender, heartbeats=Loop(), slots=SimpleNamespace(all=[]),
            couriers=(), keeper=None, accountant=None, clock=clock, leaving=Event(),
            stop_rules=StopRules(), is_going_down=bool,
            uploads=SimpleNamespace(courier=SimpleNamespace()),
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", ["poll", "sender"])
def test_a_loop_that_hangs_in_a_turn_stops_feeding_the_watchdog(
    heard: Notified, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits for an hour of idle turn does not: all turns here take that long."""
    clock, loops = HurriedClock(2000), {"poll": Loop(), "sender": Loop()}
    agent = agent_of(loops["poll"], loops["sender"], clock)
    monkeypatch.setattr(agent, "snapshot", lambda: AgentSnapshot("gpu01", "idle"))
    lifeline = Lifeline(NotifySocket(heard.address, watchdog_s=180.0), clock)
    agent.start()
    lifeline.ready(agent, bool)
    lifeline.begin()
    for _ in range(20):
        heard.until("WATCHDOG=1")

    loops[name].hangs.set()
    loops[name].wake.set()
    heard.until(f"STATUS=the {name} hangs")
    heard.rest()
    lifeline.step()
    assert heard.rest() == []

    loops[name].hangs.clear()
    loops[name].goes_on.set()
    heard.until("WATCHDOG=1")
    lifeline.close()
    agent.finish()
    for loop in loops.values():
        loop.wake.set()
