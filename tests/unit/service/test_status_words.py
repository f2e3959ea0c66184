"""The line that `systemctl status` shows."""

from pathlib import Path

import pytest

from alectio_agent.agent.jobs.step_marks import StepMark
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand
from alectio_agent.agent.service.status_words import status_words

TRAINS = JobInHand(
    "xray/3", "xray", 3, 10, 1, 0.0, (StepMark("train", "running"), StepMark("test")),
    None, Path("log"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (AgentSnapshot("a", "starting"), "not registered yet"),
        (AgentSnapshot("a", "idle"), "waiting for a job"),
        (AgentSnapshot("a", "idle", held_back="paused"), "asks for no job: paused"),
        (AgentSnapshot("a", "working", (TRAINS,)), "working at xray/3 train"),
        (AgentSnapshot("a", "stopping"), "stopping"),
        (AgentSnapshot("a", "stopping", (TRAINS,)), "stopping; in hand: xray/3 train"),
        (
            AgentSnapshot("a", "idle", unsent=Unsent(2, 10), trouble="port closed"),
            "waiting for a job; 2 results to be sent; no work from the platform: port closed",
        ),
    ],
)
def test_it_says_what_the_agent_does_and_what_is_wrong(seen: AgentSnapshot, expected: str) -> None:
    assert status_words(seen) == expected
