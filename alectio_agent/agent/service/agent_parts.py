"""The parts that an agent is made of, as `cli` builds them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.transport import Transport
from alectio_agent.agent.jobs.claim_check import ClaimCheck
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.loop import PollLoop
from alectio_agent.agent.service.accountant import Accountant
from alectio_agent.agent.service.going_down import is_going_down
from alectio_agent.agent.service.snapshot import Sources
from alectio_agent.agent.service.stop_plan import StopRules
from alectio_agent.agent.service.threads import StepObject
from alectio_agent.core.clock import Clock


class CourierLoop(StepObject, Protocol):
    """A step object that sends what no job waits for."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to send."""

    @property
    def is_failing(self) -> bool:
        """Whether the last try did not arrive."""

    def hurry(self) -> None:
        """Try all that is left once more, now."""


class Line(Protocol):
    """What a courier sends over."""

    def interrupt(self) -> None:
        """Cut what is under way, and send nothing more."""


@dataclass(frozen=True)
class Courier:
    """What sends beside the jobs.

    Attributes:
        name: Of its thread.
        transport: Its own, so that it can be cut.
    """

    name: str
    loop: CourierLoop
    transport: Line


@dataclass(frozen=True)
class Polls:
    """What the poll loop may be waiting for.

    Attributes:
        transport: Of the polls alone, so that a held poll can be cut.
        check: Runs a command before a poll; None when there is none.
    """

    transport: Transport
    check: ClaimCheck | None = None

    def interrupt(self) -> None:
        """End the wait, from another thread."""
        self.transport.interrupt()
        if self.check is not None:
            self.check.stop()


@dataclass(frozen=True)
class Uploads:
    """Parts of results on their way.

    Attributes:
        transport: Its own, so that it can be cut.
    """

    courier: PartCourier
    transport: Transport


@dataclass(frozen=True)
class Parts:
    """What `cli` built.

    Attributes:
        polls: What the poll loop may be waiting for, so that a stop need not.
        farewell: Client for the last call, after all others are done.
        leaving: Set when the agent takes no further step.
        sources: What is looked at from outside.
        uploads: What the sender waits for; cut when it is over.
        couriers: They send what no job waits for, and a stop only for some seconds.
        is_going_down: Whether the machine is; asked when a step runs at the first stop.
        keeper: Removes what may go.
        accountant: Tells of what is counted.
    """

    poll_loop: PollLoop
    slots: Slots
    sender: Sender
    heartbeats: Heartbeats
    polls: Polls
    farewell: PlatformClient
    leaving: threading.Event
    stop_rules: StopRules
    clock: Clock
    sources: Sources
    uploads: Uploads
    couriers: tuple[Courier, ...] = ()
    is_going_down: Callable[[], bool] = is_going_down
    keeper: StepObject | None = None
    accountant: Accountant | None = None
