"""How people steer a running agent: by signals, and over `control.sock`."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alectio_agent.agent.service.control.access import group_number
from alectio_agent.agent.service.lifeline import Lifeline
from alectio_agent.agent.service.signals import on_signals
from alectio_agent.cli.agent_state import State
from alectio_agent.cli.reloader import Reloader
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock

if TYPE_CHECKING:
    from alectio_agent.agent.service.agent import Agent
    from alectio_agent.agent.service.control.verbs import Verbs

log = logging.getLogger(__name__)


class Steering:
    """Both ways, for one run.

    Attributes:
        starts_again: Somebody asked for a restart, and nothing speaks against it.
    """

    def __init__(
        self,
        settings: AgentFile,
        reload: Reloader,
        check_start: Callable[[], None],
        lifeline: Lifeline,
    ) -> None:
        """Prepare; nobody is heard yet.

        Args:
            settings: The agent's.
            reload: Reads the configuration again.
            check_start: Raises what a start now would end with.
            lifeline: Tells systemd what becomes of the agent.

        Raises:
            ConfigError: The control group cannot be used.
        """
        self._settings, self._reload, self._check_start = settings, reload, check_start
        self._group = group_number(settings.agent.control_group)
        self.lifeline = lifeline
        self.starts_again = False

    @contextmanager
    def started(self, agent: "Agent", state: State) -> Iterator[None]:
        """Start an agent, and listen to people as long as it runs.

        Args:
            agent: Not started.
            state: The opened state folder.
        """
        # Not before there is an agent: while it is imported, its hooks are loaded already.
        from alectio_agent.agent.service.control.telling import StatusTeller
        from alectio_agent.agent.service.control.verbs import Site, Verbs

        section, boot = self._settings.agent, state.identity.boot
        teller = StatusTeller(self._settings, boot, state.pauses, SystemClock())
        site = Site(
            section.name, boot, state.pauses, section.drain_timeout,
            self.lifeline.around_reload(self._reload.read), self._check_start,
            teller, lambda: state.journal.by_hand.parked,
        )  # fmt: skip
        verbs = Verbs(agent, site)
        self._reload.in_force = state.in_force
        reload = self.lifeline.around_reload(self._reload)
        on_signals(without_restart(verbs, agent), cancelling(verbs, agent), reload)
        agent.start()  # first: a job may wait
        from alectio_agent.agent.service.control.server import ControlServer

        server = ControlServer(section.state_dir, os.geteuid(), self._group, verbs, SystemClock())
        server.start()
        self.lifeline.ready(agent, lambda: verbs.starts_again)
        try:
            yield
        finally:
            server.close()
            self.lifeline.close()
        self.starts_again = verbs.starts_again and agent.error is None


def without_restart(verbs: "Verbs", agent: "Agent") -> Callable[[], None]:
    """What TERM and INT do: while the agent waits for its restart, they are about the restart.

    Args:
        verbs: Know of it.
        agent: Is stopped otherwise.
    """

    def stop() -> None:
        if verbs.starts_again:
            verbs.starts_again = False
            log.warning("it stops instead of starting again; once more cancels the running step")
            return
        agent.stop()

    return stop


def cancelling(verbs: "Verbs", agent: "Agent") -> Callable[[], None]:
    """What QUIT does; there is no restart afterwards.

    Args:
        verbs: Know of one.
        agent: Is cancelled.
    """

    def cancel() -> None:
        verbs.starts_again = False
        agent.cancel()

    return cancel
