"""Puts an agent together from its state and what is known of its hooks."""

import os
import random
import threading
from dataclasses import dataclass, replace
from typing import Self

from alectio_agent.agent.client.deadlines import Deadlines
from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.keeper import Keeper
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.name_sender import NameSender
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.share import Share
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.agent_parts import Courier, Parts, Uploads
from alectio_agent.agent.service.snapshot import Sources
from alectio_agent.cli.agent_state import Site, State
from alectio_agent.cli.announcement import announcement, name_files, shown_name
from alectio_agent.cli.build_keeper import bind_keeper, make_disk_trouble, make_keeper
from alectio_agent.core.clock import SystemClock


@dataclass(frozen=True)
class _Base:
    """What all parts of one agent share."""

    site: Site
    state: State
    share: Share
    traffic: Traffic
    deadlines: Deadlines
    clock: SystemClock
    rng: random.Random
    leaving: threading.Event
    network: Network

    @classmethod
    def of(cls, site: Site, state: State) -> Self:
        """The base of an agent that has not started."""
        clock = SystemClock()
        share = Share(site.is_loopback, state.identity.digest_key.encode())
        rng = random.SystemRandom()
        traffic, deadlines = Traffic(clock), Deadlines(clock)
        network = read_network(site.url, os.environ, state.settings)
        return cls(site, state, share, traffic, deadlines, clock, rng, threading.Event(), network)

    def connect(self) -> tuple[HttpTransport, PlatformClient]:
        """A way to the platform that others neither wait for nor cut."""
        transport = HttpTransport(
            self.site.url, os.environ, self.clock, self.traffic, self.network, self.deadlines
        )
        return transport, PlatformClient(transport, self.site.token, self.clock)

    def client(self) -> PlatformClient:
        """The same, for a part that nobody cuts."""
        return self.connect()[1]

    def backoff(self) -> Backoff:
        """Waits after failures of one part."""
        return Backoff(self.rng)


def build_agent(
    site: Site,
    state: State,
    inspections: dict[str, HookInspection],
    quota: Quota,
    hooks: HookSlot,
) -> Agent:
    """Put all parts of an agent together.

    Args:
        site: Where the platform is.
        state: The opened state folder.
        inspections: What is known of each pipeline's hooks.
        quota: How many jobs it takes.
        hooks: Runs its steps; the agent closes it.

    Returns:
        An agent that has not started.
    """
    base = _Base.of(site, state)
    heartbeats = Heartbeats(base.client(), base.clock, base.backoff())
    hooks.tell(heartbeats.note_progress)
    part_line, part_client = base.connect()
    parts = PartCourier(part_client, state.outbox, base.clock)
    sender = _make_sender(base, heartbeats, parts)
    log_line, log_client = base.connect()
    logs = LogSender(log_client, base.share, base.clock, base.backoff())
    name_line, name_client = base.connect()
    names = NameSender(name_client, name_files(inspections, base.share), base.backoff())
    keeper = make_keeper(state, base.clock)
    desk = replace(
        _make_desk(base, heartbeats, sender, logs, parts),
        disk_trouble=make_disk_trouble(state, keeper),
        begun=keeper.wake,
    )
    poll_wake = threading.Event()
    slot = Slot(hooks, poll_wake.set)
    poll_line, poll_client = base.connect()
    said = announcement(site, state, inspections, base.share)
    rooms = Rooms(desk, slot, sender, heartbeats)
    poll_loop = PollLoop(poll_client, said, state.identity, rooms, base.rng, poll_wake)
    bind_keeper(keeper, rooms, poll_loop)
    agent = Agent(
        Parts(
            poll_loop, slot, hooks, sender, heartbeats, poll_line, base.client(), base.leaving,
            state.settings.agent.drain_timeout, base.clock,
            _make_sources(base, rooms, poll_loop, names, keeper), Uploads(parts, part_line),
            (Courier("logs", logs, log_line), Courier("names", names, name_line)), keeper,
        )
    )  # fmt: skip
    poll_loop.on_names_wanted = names.want
    poll_loop.on_done = agent.finish
    poll_loop.quota = slot.quota = sender.quota = quota
    poll_loop.on_fatal = sender.on_fatal = heartbeats.on_fatal = agent.fail_now
    return agent


def _make_sender(base: _Base, heartbeats: Heartbeats, parts: PartCourier) -> Sender:
    state = base.state
    return Sender(base.client(), state.journal, parts, heartbeats, base.clock, base.backoff())


def _make_desk(
    base: _Base, heartbeats: Heartbeats, sender: Sender, logs: LogSender, parts: PartCourier
) -> Desk:
    state = base.state
    return Desk(
        journal=state.journal,
        outbox=state.outbox,
        disk=state.disk,
        heartbeats=heartbeats,
        pipelines=state.settings.pipelines,
        share=base.share,
        log_folder=state.settings.agent.state_dir / "logs",
        clock=base.clock,
        rng=base.rng,
        leaving=base.leaving,
        delivery=sender.wake,
        logs=logs,
        parts=parts,
    )


def _make_sources(
    base: _Base, rooms: Rooms, poll_loop: PollLoop, names: NameSender, keeper: Keeper
) -> Sources:
    failing = {
        "polls": lambda: poll_loop.failing,
        "results": lambda: rooms.sender.trouble,
        "heartbeats": lambda: rooms.heartbeats.trouble,
        "logs": lambda: rooms.desk.logs.trouble,
        "names": lambda: names.trouble,
        "disk": lambda: rooms.desk.disk_trouble.text,
        "outbox": lambda: keeper.overfull,
    }
    return Sources(
        name=shown_name(base.site, base.state),
        slot=rooms.slot,
        heartbeats=rooms.heartbeats,
        journal=base.state.journal,
        traffic=base.traffic,
        folder=base.state.settings.agent.state_dir,
        log_folder=rooms.desk.log_folder,
        trouble=lambda: poll_loop.trouble,
        failing=failing,
    )
