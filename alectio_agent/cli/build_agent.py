"""Puts an agent together from its state and what is known of its hooks."""

import os
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from alectio_agent.agent.client.deadlines import Deadlines
from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs.claim_check import ClaimCheck, FreeDisk
from alectio_agent.agent.jobs.counters import Counters
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.keeper import Keeper
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.name_sender import NameSender
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.share import Shares
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.agent_parts import Courier, Parts, Polls, Uploads
from alectio_agent.agent.service.control.pauses import Pauses
from alectio_agent.agent.service.memory import give_back_pages
from alectio_agent.agent.service.notifier import Notifier
from alectio_agent.agent.service.snapshot import Sources
from alectio_agent.agent.service.stop_plan import StopRules
from alectio_agent.agent.service.watches import ExpiryWatch, OutageWatch
from alectio_agent.cli.agent_state import Site, State
from alectio_agent.cli.announcement import announcement, name_files, shown_name
from alectio_agent.cli.build_accountant import FiguresSource, make_accountant
from alectio_agent.cli.build_keeper import bind_keeper, make_disk_trouble, make_keeper
from alectio_agent.cli.build_record import bind_record
from alectio_agent.config.agent import AgentSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock


@dataclass(frozen=True)
class _Base:
    """What all parts of one agent share."""

    site: Site
    state: State
    shares: Shares
    traffic: Traffic
    deadlines: Deadlines
    clock: SystemClock
    rng: random.Random
    leaving: threading.Event
    network: Network
    reach: Reach
    counters: Counters

    @classmethod
    def of(cls, site: Site, state: State) -> Self:
        """The base of an agent that has not started."""
        clock = SystemClock()
        shares = Shares.of(state.settings.pipelines, state.identity.digest_key.encode())
        rng = random.SystemRandom()
        traffic, deadlines = Traffic(clock), Deadlines(clock)
        network = read_network(site.url, os.environ, state.settings)
        leaving, reach = threading.Event(), Reach(clock)
        return cls(
            site, state, shares, traffic, deadlines, clock, rng, leaving, network, reach, Counters()
        )

    def connect(self) -> tuple[HttpTransport, PlatformClient]:
        """A way to the platform that others neither wait for nor cut."""
        transport = HttpTransport(
            self.site.url, os.environ, self.clock, self.traffic, self.network, self.deadlines
        )
        client = PlatformClient(transport, self.site.token, self.clock, self.reach)
        transport.record = client.record = self.state.record
        return transport, client

    def client(self) -> PlatformClient:
        """The same, for a part that nobody cuts."""
        return self.connect()[1]

    def backoff(self, activity: str) -> Backoff:
        """Waits after failures of one part, which are counted."""
        return Backoff(self.rng, on_failure=self.counters.retries.adder(activity))


def build_agent(
    site: Site,
    state: State,
    inspections: dict[str, HookInspection],
    quota: Quota,
    hooks: Sequence[HookSlot],
    notifier: Notifier,
) -> Agent:
    """Put all parts of an agent together.

    Args:
        site: Where the platform is.
        state: The opened state folder.
        inspections: What is known of each pipeline's hooks.
        quota: How many jobs it takes.
        hooks: They run its steps, one for each slot; the agent closes them.
        notifier: Passes on what happens; the agent drives it.

    Returns:
        An agent that has not started.
    """
    base = _Base.of(site, state)
    heartbeats = Heartbeats(base.client(), base.clock, base.backoff("heartbeats"))
    part_line, part_client = base.connect()
    parts = PartCourier(part_client, state.outbox, base.clock)
    sender = _make_sender(base, heartbeats, parts)
    log_line, log_client = base.connect()
    logs = LogSender(log_client, base.shares, base.clock, base.backoff("logs"))
    name_line, name_client = base.connect()
    names = NameSender(name_client, name_files(inspections, base.shares), base.backoff("names"))
    keeper = make_keeper(state, base.clock)
    desk = replace(
        _make_desk(base, heartbeats, sender, logs, parts),
        disk_trouble=make_disk_trouble(state, keeper),
        begun=keeper.wake,
        tell=notifier.tell,
    )
    bind_record(state.record, desk.disk_trouble)
    sender.tell = notifier.tell
    poll_wake = threading.Event()
    slots = _make_slots(state, hooks, poll_wake, quota)
    poll_line, poll_client = base.connect()
    said = announcement(state, inspections, base.shares)
    rooms = Rooms(desk, slots, sender, heartbeats)
    poll_loop = PollLoop(poll_client, said, state.identity, rooms, base.rng, poll_wake)
    poll_loop.recall.cut = poll_line.cut
    expiry = ExpiryWatch(base.site.token, base.clock, notifier.tell)
    bind_keeper(keeper, rooms, poll_loop)
    _heed_pauses(state.pauses, slots, poll_loop, poll_line)
    check = _add_reasons(state, poll_loop, hooks, base.clock)
    figures = FiguresSource(state, rooms, hooks, base.reach, base.clock, base.clock.monotonic())
    state.in_force.on_change(lambda _: _look_again(poll_loop, poll_line))
    agent = Agent(
        Parts(
            poll_loop, slots, sender, heartbeats, Polls(poll_line, check), base.client(),
            base.leaving, stop_rules(state.settings.agent), base.clock,
            _make_sources(base, rooms, poll_loop, names, keeper, expiry), Uploads(parts, part_line),
            (Courier("logs", logs, log_line), Courier("names", names, name_line),
             Courier("notify", notifier, notifier)),
            keeper=keeper, accountant=make_accountant(figures, base.traffic),
        )
    )  # fmt: skip
    poll_loop.on_names_wanted = names.want
    figures.agent, figures.expiry = agent, expiry
    _watch(base, poll_loop, notifier, keeper, expiry)
    poll_loop.on_done = agent.finish
    poll_loop.quota = sender.quota = quota
    sender.confirm = heartbeats.confirm = poll_loop.confirm
    poll_loop.on_fatal = sender.on_fatal = heartbeats.on_fatal = agent.fail_now
    return agent


def _make_slots(
    state: State, hooks: Sequence[HookSlot], on_free: threading.Event, quota: Quota
) -> Slots:
    slots = []
    for number, runs_steps in enumerate(hooks):
        pipelines = state.settings.pipelines_of(number)
        slot = Slot(runs_steps, on_free.set, number, pipelines)
        runs_steps.tell(slot.note_progress)
        slot.quota = quota
        slots.append(slot)
    return Slots(slots)


def _add_reasons(
    state: State, poll_loop: PollLoop, hooks: Sequence[HookSlot], clock: SystemClock
) -> ClaimCheck:
    """Let this machine speak against a job; a command last, since it is not run in vain then."""
    settings = state.settings
    folders = {"agent.state_dir": settings.agent.state_dir}
    for name, pipeline in settings.pipelines.items():
        folders[f"pipelines.{name}.checkpoints.dir"] = pipeline.checkpoints.dir
    disk = FreeDisk(settings.claim.min_free_disk, folders)
    check = ClaimCheck(settings.claim.check, os.environ, clock)
    poll_loop.reasons += [disk, *[runs_steps.why_stuck for runs_steps in hooks], check]

    def take(now: AgentFile) -> None:
        disk.least_bytes = now.claim.min_free_disk
        check.change(now.claim.check)

    state.in_force.on_change(take)
    return check


def _look_again(poll_loop: PollLoop, polls: HttpTransport) -> None:
    """What spoke for or against a job may have changed; so may the token that was refused."""
    poll_loop.wake.set()
    polls.cut()  # a held poll would still bring a job


def _heed_pauses(pauses: Pauses, slots: Slots, poll_loop: PollLoop, polls: HttpTransport) -> None:
    """Let a pause and its end take effect at once."""

    def look_around() -> None:
        if not pauses.is_paused():
            poll_loop.held_back = ""
        poll_loop.wake.set()
        polls.cut()  # a held poll would still bring a job
        for slot in slots.all:
            slot.wake.set()

    pauses.on_change = look_around
    for slot in slots.all:
        slot.is_paused = pauses.is_paused
    poll_loop.reasons.append(pauses.reason)
    poll_loop.held_back = pauses.reason()  # said at the start already


def stop_rules(settings: AgentSettings) -> StopRules:
    """What the configuration says about stops.

    Args:
        settings: Section `agent`.
    """
    return StopRules(settings.when_stopped, settings.on_shutdown, settings.drain_timeout)


def _watch(
    base: _Base, poll_loop: PollLoop, notifier: Notifier, keeper: Keeper, expiry: ExpiryWatch
) -> None:
    """Look for events that no call tells by itself."""
    expiry.renew = poll_loop.register_again
    poll_loop.on_registered = expiry.note
    outage = OutageWatch(base.reach, base.clock, notifier.tell)
    notifier.watches.append(outage.look)
    keeper.watches.append(give_back_pages)
    keeper.watches.append(expiry.look)  # the log says it too, where nobody is notified


def _make_sender(base: _Base, heartbeats: Heartbeats, parts: PartCourier) -> Sender:
    state = base.state
    backoff = base.backoff("results")
    sender = Sender(base.client(), state.journal, parts, heartbeats, base.clock, backoff)
    sender.counters = base.counters
    return sender


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
        shares=base.shares,
        log_folder=state.settings.agent.state_dir / "logs",
        clock=base.clock,
        rng=base.rng,
        leaving=base.leaving,
        delivery=sender.wake,
        logs=logs,
        parts=parts,
        is_paused=state.pauses.is_paused,
        counters=base.counters,
        is_measured=state.settings.metrics.textfile is not None,
    )


def _make_sources(
    base: _Base,
    rooms: Rooms,
    poll_loop: PollLoop,
    names: NameSender,
    keeper: Keeper,
    expiry: ExpiryWatch,
) -> Sources:
    failing = {
        "polls": lambda: poll_loop.failing,
        "results": lambda: rooms.sender.trouble,
        "heartbeats": lambda: rooms.heartbeats.trouble,
        "logs": lambda: rooms.desk.logs.trouble,
        "names": lambda: names.trouble,
        "disk": lambda: rooms.desk.disk_trouble.text,
        "outbox": lambda: keeper.overfull,
        "token": lambda: expiry.warning,
    }
    return Sources(
        name=shown_name(base.state, base.shares),
        slots=rooms.slots,
        heartbeats=rooms.heartbeats,
        journal=base.state.journal,
        traffic=base.traffic,
        folder=base.state.settings.agent.state_dir,
        log_folder=rooms.desk.log_folder,
        trouble=lambda: poll_loop.trouble,
        failing=failing,
        # While a job is in hand nobody asks what speaks against the next one.
        held_back=lambda: base.state.pauses.reason() or poll_loop.held_back,
    )
