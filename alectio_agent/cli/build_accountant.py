"""What tells of an agent's counters: an hourly line, and metrics where somebody wants them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version

from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.loop import Rooms
from alectio_agent.agent.service.accountant import Accountant
from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.hourly import HourlyLine
from alectio_agent.agent.service.metrics import Figures
from alectio_agent.agent.service.metrics_file import MetricsFile
from alectio_agent.agent.service.watches import ExpiryWatch
from alectio_agent.cli.agent_state import State
from alectio_agent.core.clock import Clock


@dataclass
class FiguresSource:
    """Reads the figures of an agent from its parts, from any thread.

    Attributes:
        agent: Set as soon as it is built.
        expiry: Knows when the token ends; set with the agent.
        version: That runs, whatever is installed meanwhile; looking it up takes longer than all
            else here.
    """

    state: State
    rooms: Rooms
    hooks: Sequence[HookSlot]
    reach: Reach
    clock: Clock
    started_s: float
    agent: Agent | None = None
    expiry: ExpiryWatch | None = None
    version: str = field(default_factory=partial(version, "alectio-agent"))

    def __call__(self) -> Figures:
        """The figures of this moment."""
        assert self.agent is not None  # noqa: S101 - no thread runs before it is built
        assert self.expiry is not None  # noqa: S101 - the same
        return Figures(
            version=self.version,
            is_up=True,
            has_failed=self.agent.error is not None,
            snapshot=self.agent.snapshot(),
            is_paused=self.state.pauses.is_paused(),
            counters=self.rooms.desk.counters,
            hook_starts=_added([slot.starts.amounts for slot in self.hooks]),
            beat_lag_s=self.rooms.heartbeats.lag_s,
            answered_s=self.reach.answered_s,
            outage=self.reach.outage,
            token_ends=self.expiry.ends,
            min_free_bytes=self.state.settings.claim.min_free_disk,
            slots=len(self.hooks),
            started_s=self.started_s,
            now=self.clock.now(),
        )


def make_accountant(source: FiguresSource, traffic: Traffic) -> Accountant:
    """What tells of the counters.

    Args:
        source: Of the figures.
        traffic: Counts what goes out.
    """
    textfile = source.state.settings.metrics.textfile
    hourly = HourlyLine(
        source.rooms.desk.counters, lambda: traffic.contact.sent_bytes, source.clock
    )
    return Accountant(hourly, source, None if textfile is None else MetricsFile(textfile))


def _added(each: Sequence[dict[str, float]]) -> dict[str, float]:
    """The sums of amounts, by name."""
    return {name: sum(amounts.get(name, 0.0) for amounts in each) for name in each[0]}
