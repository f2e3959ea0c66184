"""Figures of an agent, for what tells of them."""

from typing import Any

from alectio_agent.agent.jobs.counters import Counters
from alectio_agent.agent.service.metrics import Figures
from alectio_agent.agent.service.snapshot import AgentSnapshot
from tests.support.clocks import FakeClock


def make_figures(clock: FakeClock, **changed: Any) -> Figures:
    """An agent that has just started."""
    return Figures(
        **{
            "version": "1.0",
            "is_up": True,
            "has_failed": False,
            "snapshot": AgentSnapshot(
                "gpu01", "idle", free_bytes=40 * 10**9, at_s=clock.monotonic()
            ),
            "is_paused": False,
            "counters": Counters(),
            "hook_starts": {"first": 0},
            "beat_lag_s": 0.0,
            "answered_s": None,
            "outage": None,
            "token_ends": None,
            "min_free_bytes": 10**9,
            "slots": 1,
            "started_s": 0.0,
            "now": clock.now(),
            **changed,
        }
    )
