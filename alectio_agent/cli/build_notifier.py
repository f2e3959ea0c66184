"""Builds what tells people of events."""

import os

from alectio_agent.agent.hooks.shell_command import ShellCommand
from alectio_agent.agent.service.notifier import Notifier
from alectio_agent.cli.agent_state import State
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock


def make_notifier(state: State) -> Notifier:
    """What passes events on to `notify.command`, as long as there is one.

    Args:
        state: The opened state folder.
    """
    clock, settings = SystemClock(), state.settings
    command = ShellCommand("", os.environ, clock)
    notifier = Notifier(command, [], settings.agent.name, clock)

    def take(now: AgentFile) -> None:
        command.line = now.notify.command or ""
        notifier.change(now.notify.on if now.notify.command is not None else [])

    take(settings)
    state.in_force.on_change(take)
    return notifier
