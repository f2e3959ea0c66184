"""Builds an agent of real parts over a simulated machine: the only place that does."""

import random
import threading
from typing import TYPE_CHECKING, Any

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.hooks.checkpoints import held_checkpoints
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.share import Share, Shares
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.journal.identity import Identity, next_boot
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.agent_parts import Parts, Polls, Uploads
from alectio_agent.agent.service.snapshot import Sources
from alectio_agent.agent.service.stop_plan import StopRules
from alectio_agent.config.share import OPEN
from alectio_agent.wire.agents import HeldCheckpoint, PipelineOffer
from tests.simulation.hooks import SimHooks
from tests.simulation.kept_database import KeptDatabase

if TYPE_CHECKING:
    from tests.simulation.life import Life


def open_journal(life: "Life", kind: type[Journal] = Journal) -> Journal:
    """The journal of a machine, with what is left of it."""
    machine = life.machine

    def open_database(path, schema: str, version: int, **more: Any) -> KeptDatabase:
        return KeptDatabase(machine.platter, life.point, path, schema, version, **more)

    return kind(machine.state_dir / "agent.db", machine.clock, open_database)


def open_outbox(life: "Life") -> Outbox:
    """The folder of results."""
    kind = life.world.pieces.outbox
    return kind(life.machine.disk, life.machine.state_dir / "outbox", life)


def read_identity(life: "Life") -> Identity:
    """A new boot."""
    return next_boot(life.machine.disk, life.machine.state_dir)


def build(life: "Life", outbox: Outbox, identity: Identity) -> Agent:
    """Put an agent together, as `cli.build_agent` does."""
    machine, world = life.machine, life.world
    clock, rng = machine.clock, random.Random(world.rng.random())
    leaving, poll_wake = threading.Event(), threading.Event()
    journal, shares = life.journal, Shares(otherwise=Share(OPEN))

    def client() -> PlatformClient:
        return PlatformClient(world.network.line(life), lambda: "token", clock)

    poll_line, part_line = world.network.line(life), world.network.line(life)
    heartbeats = Heartbeats(client(), clock, Backoff(rng))
    parts = PartCourier(PlatformClient(part_line, lambda: "token", clock), outbox, clock)
    sender = Sender(client(), journal, parts, heartbeats, clock, Backoff(rng))
    desk = Desk(
        journal=journal, outbox=outbox, disk=machine.disk, heartbeats=heartbeats,
        pipelines=machine.pipelines, shares=shares, log_folder=machine.state_dir / "logs",
        clock=clock, rng=rng, leaving=leaving, delivery=sender.wake,
        logs=LogSender(client(), Shares(), clock, Backoff(rng)), parts=parts,
    )  # fmt: skip
    slots = Slots([_slot(life, number, poll_wake) for number in range(world.plan.slots)])
    rooms = Rooms(desk, slots, sender, heartbeats)
    poll_client = PlatformClient(poll_line, lambda: "token", clock)
    poll_loop = PollLoop(poll_client, _announcement(life), identity, rooms, rng, poll_wake)
    sources = Sources(
        machine.name, slots, heartbeats, journal, Traffic(clock), machine.state_dir,
        desk.log_folder, lambda: poll_loop.trouble,
    )  # fmt: skip
    agent = Agent(
        Parts(
            poll_loop, slots, sender, heartbeats, Polls(poll_line), client(), leaving,
            StopRules("finish", "checkpoint", None), clock, sources, Uploads(parts, part_line),
        ),
        life.spawn,
    )  # fmt: skip
    poll_loop.recall.cut = poll_line.cut
    sender.confirm = heartbeats.confirm = poll_loop.confirm
    poll_loop.on_done = agent.finish
    poll_loop.on_fatal = sender.on_fatal = heartbeats.on_fatal = agent.fail_now
    return agent


def _slot(life: "Life", number: int, poll_wake: threading.Event) -> Slot:
    hooks = SimHooks(life, number)
    slot = Slot(hooks, poll_wake.set, number)
    hooks.on_progress = slot.note_progress
    return slot


def _announcement(life: "Life") -> Announcement:
    machine = life.machine

    def checkpoints() -> list[HeldCheckpoint]:
        folder = machine.pipelines["digits"].checkpoints.dir
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        return [
            HeldCheckpoint(experiment=found.name, name=name)
            for found in inside
            for name in held_checkpoints(found)
        ]

    return Announcement(
        name=machine.name,
        version="0",
        tags=[],
        offers={"digits": PipelineOffer(name="digits", pool_size=life.world.plan.pool)},
        checkpoints=checkpoints,
        digest=lambda _, __: None,
    )
