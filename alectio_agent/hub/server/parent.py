"""The pipes to the process that started an embedded hub."""

import os
from dataclasses import dataclass

from alectio_agent.core.errors import UsageError
from alectio_agent.wire.strict_json import JsonRuleError, dumps, loads

LONGEST_LINE = 4096


@dataclass(frozen=True)
class ParentTokens:
    """Tokens that the parent made for this process; never stored."""

    agent: str
    operator: str


def read_tokens(pipe_fd: int) -> ParentTokens:
    """Read the line that the parent writes first; nothing beyond it.

    Args:
        pipe_fd: The reading end.

    Returns:
        The tokens.

    Raises:
        UsageError: The parent ended, or wrote something else.
    """
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < LONGEST_LINE:
        piece = os.read(pipe_fd, 1)
        if not piece:
            break
        line += piece
    try:
        document = loads(bytes(line))
    except (JsonRuleError, UnicodeDecodeError):
        document = None
    found = document if isinstance(document, dict) else {}
    agent, operator = found.get("agent_token"), found.get("operator_token")
    if not (isinstance(agent, str) and isinstance(operator, str) and agent and operator):
        raise UsageError(
            "the pipe from the parent brought no tokens",
            hint="`hub embedded` is started by `run`. Start a hub with `hub serve`.",
            code="E-HUB-05",
        )
    return ParentTokens(agent, operator)


def tell_ready(ready_fd: int, url: str, platform_id: str) -> None:
    """Tell the parent that the hub serves, and close the pipe.

    Args:
        ready_fd: The writing end.
        url: Where the hub answers.
        platform_id: Of this hub.
    """
    try:
        os.write(ready_fd, dumps({"url": url, "platform_id": platform_id}).encode() + b"\n")
    except BrokenPipeError:
        pass  # the parent ended: the other pipe says so too
    finally:
        os.close(ready_fd)
