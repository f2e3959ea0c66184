"""Runs a built agent until it is stopped, and says how it ended."""

import logging

from alectio_agent.agent.service.agent import Agent
from alectio_agent.cli.agent_state import State
from alectio_agent.cli.hub_hints import agent_token_mend
from alectio_agent.cli.steering import Steering
from alectio_agent.core.errors import AlectioAgentError, ExitCode, NotAuthorizedError

log = logging.getLogger(__name__)


def until_stopped(agent: Agent, state: State, steering: Steering) -> ExitCode:
    """Run an agent until somebody stops it, or an error ends it.

    Args:
        agent: Built, not started.
        state: The opened state folder.
        steering: Takes what people want from it.

    Returns:
        The exit code: of an agent that starts again, as of one that was stopped before its end.
    """
    if paused := state.pauses.reason():
        log.warning("this agent takes no job: %s", paused)
    with steering.started(agent, state):
        agent.wait_for_stop()
        steering.lifeline.step()
        agent.shut_down()
    if isinstance(agent.error, NotAuthorizedError):
        url = state.settings.platform.url
        agent.error.hint = agent.error.hint or (
            "What is in the outbox is delivered with the next token. "
            f"{agent_token_mend(url)}. Then start this agent again"
        )
    code = ending(agent)
    if steering.starts_again:
        return ExitCode.TRY_AGAIN
    return code


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
    done = agent.quota.done_count
    return f"{done} job{'' if done == 1 else 's'} done"
