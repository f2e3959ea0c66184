"""Opens what an agent is built from: its state folder, and the way to its platform."""

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from alectio_agent.agent.hooks.groups import end_group, end_strays, home_mark
from alectio_agent.agent.jobs.recovery import end_groups, reconcile
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.egress import EgressRecord
from alectio_agent.agent.journal.identity import Identity, next_boot
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.opening import open_journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.agent.service.control.pauses import Pauses
from alectio_agent.cli.build_record import open_record
from alectio_agent.cli.reloadable import InForce
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.token_file import read_token
from alectio_agent.config.values import is_loopback
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import StoreFullError

log = logging.getLogger(__name__)

CLEAR_TEXT = (
    "E-NET-03  {url}: plain http: the token and all results travel in the clear "
    "(platform.allow_insecure_http)"
)
NEW_AGENT_TEXT = (
    "%s was gone: to the platform this is a new agent. What the journal and the outbox hold is "
    "still finished and delivered"
)
GONE_JOURNAL_TEXT = (
    "%s was gone: it is made anew from the results in the outbox. What was claimed and has no "
    "result goes back to the platform"
)


@dataclass(frozen=True)
class Site:
    """Where the platform is and how this agent shows itself there."""

    url: str
    token: Callable[[], str]

    @classmethod
    def embedded(cls, url: str, token: str) -> Self:
        """The hub in the box."""
        return cls(url, lambda: token)

    @classmethod
    def distant(cls, settings: AgentFile) -> Self:
        """A platform somewhere; its token is read anew for every call."""
        url = settings.platform.url
        if url.startswith("http:") and not is_loopback(url):
            log.warning(CLEAR_TEXT.format(url=url))
        read_token(settings, os.environ)  # a token that cannot be read is said at once
        return cls(url, lambda: read_token(settings, os.environ))


@dataclass(frozen=True)
class State:
    """The opened state folder of an agent.

    Attributes:
        in_force: Parts of the agent that take new settings over while it works.
    """

    settings: AgentFile
    disk: SystemDisk
    journal: Journal
    outbox: Outbox
    reserve: Reserve
    identity: Identity
    record: EgressRecord
    pauses: Pauses
    in_force: InForce = field(default_factory=InForce)


def open_state(settings: AgentFile, stack: ExitStack) -> State:
    """Open the state folder, which is locked, and put right what the last run left.

    Args:
        settings: The agent's.
        stack: Closes the journal.

    Returns:
        The state; hooks of the last run have ended, files and rows agree.

    Raises:
        StoreVersionError: A newer version wrote what is there.
        StoreError: It cannot be used; nothing of it was removed.
    """
    reserve = Reserve(settings.agent.state_dir)
    try:
        return _open_state(settings, reserve, stack)
    except StoreFullError:
        # What is set aside may be all that is lacking: with it the agent can make more room.
        if not reserve.give():
            raise
    return _open_state(settings, reserve, stack)


def _open_state(settings: AgentFile, reserve: Reserve, stack: ExitStack) -> State:
    clock, disk, folder = SystemClock(), SystemDisk(), settings.agent.state_dir
    opened = open_journal(folder / "agent.db", clock)
    journal = opened.journal
    stack.callback(journal.close)
    end_groups(journal, lambda group: end_group(group.pgid, group.start_time, group.marker, clock))
    if opened.is_new:
        end_strays(home_mark(folder), clock)
    outbox = Outbox(disk, folder / "outbox")
    reconcile(journal, outbox)
    disk.make_folder(folder / "logs")
    identity = next_boot(disk, folder)
    if identity.boot.count == 1 and journal.leases():
        log.warning(NEW_AGENT_TEXT, folder / "identity.json")
    if identity.boot.count > 1 and opened.is_new and not opened.is_told:
        log.warning(GONE_JOURNAL_TEXT, folder / "agent.db")
    record = open_record(settings, identity, clock)
    stack.callback(record.close)
    for job_id, job in journal.job_names().items():
        record.know(job_id, job)
    pauses = Pauses(disk, folder, clock)
    return State(settings, disk, journal, outbox, reserve, identity, record, pauses)
