"""The parts that an agent is made of, as `cli` builds them."""

import threading
from dataclasses import dataclass
from typing import Protocol

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.transport import Transport
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.loop import PollLoop
from alectio_agent.agent.service.snapshot import Sources
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


@dataclass(frozen=True)
class Courier:
    """What sends beside the jobs.

    Attributes:
        name: Of its thread.
        transport: Its own, so that it can be cut.
    """

    name: str
    loop: CourierLoop
    transport: Transport


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
        polls: The transport of the polls alone, so that a held poll can be cut.
        farewell: Client for the last call, after all others are done.
        leaving: Set when the agent takes no further step.
        sources: What is looked at from outside.
        uploads: What the sender waits for; cut when it is over.
        couriers: They send what no job waits for, and a stop only for some seconds.
        keeper: Removes what may go.
    """

    poll_loop: PollLoop
    slot: Slot
    hooks: HookSlot
    sender: Sender
    heartbeats: Heartbeats
    polls: Transport
    farewell: PlatformClient
    leaving: threading.Event
    drain_timeout_s: float | None
    clock: Clock
    sources: Sources
    uploads: Uploads
    couriers: tuple[Courier, ...] = ()
    keeper: StepObject | None = None
