"""Puts an agent together from its state and what is known of its hooks."""

import os
import random
import threading

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.name_sender import NameSender
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.run import Desk
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.share import Share
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.agent.service.agent import Agent, Courier, Parts
from alectio_agent.agent.service.snapshot import Sources
from alectio_agent.cli.agent_state import Site, State
from alectio_agent.cli.announcement import announcement, name_files, shown_name
from alectio_agent.core.clock import SystemClock


def build_agent(
    site: Site, state: State, inspections: dict[str, HookInspection], quota: Quota
) -> Agent:
    """Put all parts of an agent together.

    Args:
        site: Where the platform is.
        state: The opened state folder.
        inspections: What is known of each pipeline's hooks.
        quota: How many jobs it takes.

    Returns:
        An agent that has not started.
    """
    settings, clock, rng = state.settings, SystemClock(), random.SystemRandom()
    leaving, traffic = threading.Event(), Traffic(clock)

    def client() -> tuple[HttpTransport, PlatformClient]:
        transport = HttpTransport(site.url, os.environ, clock, traffic)
        return transport, PlatformClient(transport, site.token, clock)

    heartbeats = Heartbeats(client()[1], clock)
    hooks = HookSlot(clock, state.journal, dict(os.environ), heartbeats.note_progress)
    sender = Sender(client()[1], state.journal, state.outbox, heartbeats, clock, Backoff(rng))
    sender.keep_sent_s = settings.outbox.keep_sent
    share = Share(site.is_loopback, state.identity.digest_key.encode())
    log_transport, log_client = client()
    name_transport, name_client = client()
    names = NameSender(name_client, name_files(inspections, share), Backoff(rng))
    logs = LogSender(log_client, share, clock, Backoff(rng))
    desk = Desk(
        journal=state.journal,
        outbox=state.outbox,
        disk=state.disk,
        heartbeats=heartbeats,
        pipelines=settings.pipelines,
        share=share,
        log_folder=settings.agent.state_dir / "logs",
        clock=clock,
        rng=rng,
        leaving=leaving,
        delivery=sender.wake,
        logs=logs,
    )
    poll_wake = threading.Event()
    slot = Slot(hooks, poll_wake.set)
    polls, poll_client = client()
    poll_loop = PollLoop(
        poll_client,
        announcement(site, state, inspections, share),
        state.identity,
        Rooms(desk, slot, sender, heartbeats),
        rng,
        poll_wake,
    )
    farewell = client()[1]
    sources = Sources(
        name=shown_name(site, state),
        slot=slot,
        heartbeats=heartbeats,
        journal=state.journal,
        traffic=traffic,
        folder=settings.agent.state_dir,
        log_folder=desk.log_folder,
        trouble=lambda: poll_loop.trouble,
    )
    agent = Agent(
        Parts(
            poll_loop, slot, hooks, sender, heartbeats, polls, farewell, leaving,
            settings.agent.drain_timeout, clock, sources,
            (Courier("logs", logs, log_transport), Courier("names", names, name_transport)),
        )
    )  # fmt: skip
    poll_loop.on_fatal = agent.fail_now
    poll_loop.quota = slot.quota = sender.quota = quota
    poll_loop.on_done = agent.finish
    poll_loop.on_names_wanted = names.want
    sender.on_fatal = agent.fail_now
    heartbeats.on_fatal = agent.fail_now
    return agent
