"""Builds an agent from its settings."""

import logging
import os
import random
import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.hooks.checkpoints import held_checkpoints
from alectio_agent.agent.hooks.groups import end_group
from alectio_agent.agent.hooks.inspection import HookInspection, prefix_digest
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.name_sender import NameSender
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.recovery import end_groups, reconcile
from alectio_agent.agent.jobs.run import Desk
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.share import Share
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.identity import Identity, next_boot
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.agent.service.agent import Agent, Courier, Parts
from alectio_agent.agent.service.snapshot import Sources
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.token_file import read_token
from alectio_agent.config.values import is_loopback
from alectio_agent.core.clock import SystemClock
from alectio_agent.wire.agents import HeldCheckpoint, PipelineOffer
from alectio_agent.wire.names import EXPERIMENT_PATTERN

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """Where the platform is and how this agent shows itself there."""

    url: str
    token: Callable[[], str]
    is_loopback: bool

    @classmethod
    def embedded(cls, url: str, token: str) -> Self:
        """The hub in the box."""
        return cls(url, lambda: token, is_loopback=True)

    @classmethod
    def distant(cls, settings: AgentFile) -> Self:
        """A platform somewhere; its token is read anew for every call."""
        url = settings.platform.url
        read_token(settings, os.environ)  # a token that cannot be read is said at once
        return cls(url, lambda: read_token(settings, os.environ), is_loopback(url))


@dataclass(frozen=True)
class State:
    """The opened state folder of an agent."""

    settings: AgentFile
    disk: SystemDisk
    journal: Journal
    outbox: Outbox
    identity: Identity


def open_state(settings: AgentFile, stack: ExitStack) -> State:
    """Open the state folder, which is locked, and put right what the last run left.

    Args:
        settings: The agent's.
        stack: Closes the journal.

    Returns:
        The state; hooks of the last run have ended, files and rows agree.
    """
    clock, disk, folder = SystemClock(), SystemDisk(), settings.agent.state_dir
    journal = Journal(folder / "agent.db", clock)
    stack.callback(journal.close)
    end_groups(journal, lambda group: end_group(group.pgid, group.start_time, group.marker, clock))
    outbox = Outbox(disk, folder / "outbox")
    reconcile(journal, outbox)
    disk.make_folder(folder / "logs")
    return State(settings, disk, journal, outbox, next_boot(disk, folder))


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
    names = NameSender(name_client, _name_files(inspections, share), Backoff(rng))
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
        _announcement(site, state, inspections, share),
        state.identity,
        Rooms(desk, slot, sender, heartbeats),
        rng,
        poll_wake,
    )
    farewell = client()[1]
    sources = Sources(
        name=_shown_name(site, state),
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


def inspect_hooks(state: State) -> dict[str, HookInspection]:
    """Load the hooks of every pipeline once, to know them.

    Args:
        state: The opened state folder.

    Returns:
        What was found, by name of the pipeline.

    Raises:
        HookLoadError: Hooks that cannot be loaded, or break the signature rules.
    """
    folder = state.settings.agent.state_dir / "state"
    state.disk.make_folder(folder)
    hooks = HookSlot(SystemClock(), state.journal, dict(os.environ))
    return {
        name: hooks.inspect(name, pipeline, folder)
        for name, pipeline in state.settings.pipelines.items()
    }


def pool_size(pipeline: PipelineSettings, found: HookInspection) -> int | None:
    """Number of samples of a pipeline: from its settings, else from its `state()`."""
    return pipeline.pool_size if pipeline.pool_size is not None else found.state_size


def _name_files(inspections: dict[str, HookInspection], share: Share) -> dict[str, Path]:
    """The names that may leave, whatever the platform asks for."""
    if not share.names:
        return {}
    return {
        found.state_digest: found.state_file
        for found in inspections.values()
        if found.state_digest is not None and found.state_file is not None
    }


def _announcement(
    site: Site, state: State, inspections: dict[str, HookInspection], share: Share
) -> Announcement:
    settings = state.settings

    def checkpoints() -> list[HeldCheckpoint]:
        return [
            checkpoint
            for pipeline in settings.pipelines.values()
            for checkpoint in _held(pipeline.checkpoints.dir)
        ]

    def digest(pipeline: str, size: int) -> str | None:
        names = inspections[pipeline].state_file
        return None if names is None else prefix_digest(names, size)

    return Announcement(
        name=_shown_name(site, state),
        version=version("alectio-agent"),
        tags=list(settings.agent.tags),
        offers={
            name: _offer(name, pipeline, inspections[name], share)
            for name, pipeline in settings.pipelines.items()
        },
        checkpoints=checkpoints,
        digest=digest,
    )


def _offer(
    name: str, pipeline: PipelineSettings, found: HookInspection, share: Share
) -> PipelineOffer:
    return PipelineOffer(
        name=name,
        pool_size=pool_size(pipeline, found),
        state_digest=found.state_digest,
        state_size=found.state_size,
        store=pipeline.checkpoints.store,
        shares_names=share.names and found.state_file is not None,
    )


def _held(folder: Path) -> list[HeldCheckpoint]:
    """The checkpoints on disk, a folder per experiment; foreign files are passed over."""
    if not folder.is_dir():
        return []
    return [
        HeldCheckpoint(experiment=inside.name, name=name)
        for inside in sorted(folder.iterdir())
        if inside.is_dir() and re.match(EXPERIMENT_PATTERN, inside.name)
        for name in held_checkpoints(inside)
    ]


def _shown_name(site: Site, state: State) -> str:
    """The host's name stays here unless the hub does too, or somebody wrote a name."""
    agent = state.settings.agent
    if site.is_loopback or "name" in agent.model_fields_set:
        return agent.name
    return f"agent-{state.identity.installation_id[:8]}"
