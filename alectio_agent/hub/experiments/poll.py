"""One poll that waits for a job."""

from collections.abc import Callable
from dataclasses import dataclass, field

from alectio_agent.hub.experiments.roll import Kind
from alectio_agent.wire.claims import Claim


def _nobody() -> None:
    """Nobody is there to be woken."""


Line = tuple[frozenset[str], Kind]
"""Agents that can run the same stand in one line: free pipelines, and what the agents are."""


@dataclass(eq=False, slots=True)
class Poll:
    """One poll that waits.

    Attributes:
        free: Pipelines that a free slot of the agent may run.
        wake: Called from the event loop when there is something to say.
        is_brief: It is answered after the first look.
        since: When the agent began to wait for a job, perhaps several polls ago.
        serial: Counts the polls of this process.
        is_picked: A deal has it in hand, and nobody else may answer it.
        is_late: Its time was up while a deal had it in hand.
        is_over: Another poll of the agent has taken its place, or all are sent home.
        is_doubted: The agent registered anew, or its token changed: ask the tables again.
        claim: The job that it got.
        error: Why no look could be taken.
    """

    agent_id: str
    boot: str
    seq: int
    free: frozenset[str]
    wake: Callable[[], None] = field(default=_nobody)
    is_brief: bool = False
    token: str = ""
    since: float = 0.0
    serial: int = 0
    is_picked: bool = False
    is_late: bool = False
    is_over: bool = False
    is_doubted: bool = False
    claim: Claim | None = None
    error: BaseException | None = None
    key: Line | None = None

    @property
    def is_settled(self) -> bool:
        """Whether there is something to say."""
        return (
            self.is_over or self.is_doubted or self.claim is not None or self.error is not None
        ) and not self.is_picked

    @property
    def place(self) -> tuple[float, int]:
        """Sorts by who waits longest."""
        return self.since, self.serial
