"""A hub process that was stopped for a day: SIGSTOP, or a machine that stood still."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import turned_hub
from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import Hub
from tests.support.living import state_of
from tests.support.results import until
from tests.support.turned_hub import TurnedClock

DAY_S = 86_400.0


@pytest.fixture
def clock(tmp_path: Path) -> TurnedClock:
    return TurnedClock(tmp_path / "clock")


@pytest.fixture
def hub(tmp_path: Path, clock: TurnedClock, listening: socket.socket) -> Iterator[Hub]:
    # By its path: run by its name it would need the folder of the tests on the path.
    program = (turned_hub.__file__, tmp_path / "clock")
    started = Hub.embedded(tmp_path / "hub", listening, program)
    yield started
    started.kill()


def stand_still(hub: Hub, clock: TurnedClock, seconds: float) -> None:
    """Stop the process for so long by its clock, and let it look at all leases after that."""
    hub.process.send_signal(signal.SIGSTOP)
    until(lambda: state_of(hub.process.pid) == "T")
    clock.advance(seconds)
    hub.process.send_signal(signal.SIGCONT)
    assert hub.process.stderr is not None
    assert "the hub stood still for 23 h 59 min" in hub.process.stderr.readline()
    before = clock.waits
    until(lambda: clock.waits > before)


def test_a_hub_that_was_stopped_for_a_day_gives_nothing_away(hub: Hub, clock: TurnedClock) -> None:
    create_experiment(hub, takeover_after="0s")
    agent, other = HubAgent(hub), HubAgent(hub, "gpu02")
    job = agent.claim()
    stand_still(hub, clock, DAY_S)
    assert other.poll().status_code == 204, "the claim that nobody has started yet"
    agent.beat(job)
    stand_still(hub, clock, DAY_S)
    assert other.poll().status_code == 204, "the lease that no beat came for"
    agent.deliver(job)
    assert agent.claim()["job"] == "digits/1"
