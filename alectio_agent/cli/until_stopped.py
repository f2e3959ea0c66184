"""Runs a built agent until it is stopped, and says how it ended."""

import logging
from collections.abc import Callable

from alectio_agent.agent.service.agent import Agent
from alectio_agent.agent.service.signals import on_signals
from alectio_agent.core.errors import AlectioAgentError, ExitCode

log = logging.getLogger(__name__)


def until_stopped(agent: Agent, reload: Callable[[], None]) -> ExitCode:
    """Run an agent until a signal, or an error that ends it.

    Args:
        agent: Built, not started.
        reload: Called on HUP.

    Returns:
        The exit code.
    """
    on_signals(agent.stop, agent.cancel, reload)
    agent.start()
    agent.wait_for_stop()
    agent.shut_down()
    return ending(agent)


def ending(agent: Agent) -> ExitCode:
    """Say why an agent ended, when it was no stop.

    Args:
        agent: It has shut down.

    Returns:
        The exit code.
    """
    if agent.error is None:
        return ExitCode.CLEAN
    if isinstance(agent.error, AlectioAgentError):
        log.error("%s", agent.error)
        return agent.error.exit_code
    return ExitCode.UNEXPECTED


def jobs_done(agent: Agent) -> str:
    """How many jobs gave all their results, in words.

    Args:
        agent: It has shut down.
    """
    done = len(agent.quota.done)
    return f"{done} job{'' if done == 1 else 's'} done"
