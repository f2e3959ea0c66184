"""What the commands that steer an agent share: how they find it, and what they print."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from alectio_agent.agent.service.control.client import Call, call
from alectio_agent.agent.service.control.protocol import Request
from alectio_agent.cli.folding import fold_lines, width_of
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say
from alectio_agent.cli.settings import load_to_look
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import UsageError
from alectio_agent.core.units import format_duration

OFF = "no agent is running"


@dataclass(frozen=True)
class Target:
    """The agent that a command is about.

    Attributes:
        name: As agent.yaml says.
        folder: Its state folder.
    """

    name: str
    folder: Path
    common: Common

    @classmethod
    def of(cls, common: Common) -> "Target":
        """The agent of the configuration.

        Args:
            common: The options of every command.
        """
        settings = load_to_look(common.config)
        return cls(settings.agent.name, settings.agent.state_dir, common)

    @contextmanager
    def asked(self, request: Request) -> Iterator[Call | None]:
        """Ask the agent.

        Args:
            request: What to ask.

        Yields:
            The call, answered; None when no agent runs.
        """
        with call(self.folder, request, SystemClock()) as made:
            yield made

    def print(
        self, said: str, answer: dict[str, Any], go_on: str = "", *, is_running: bool = True
    ) -> None:
        """Print what was done, on stdout, and beside it what may be done next.

        Args:
            said: Without the agent's name.
            answer: For programs.
            go_on: For people; may be empty.
            is_running: An agent runs.
        """
        if self.common.as_json:
            told = {"name": self.name, **answer, "is_running": is_running}
            click.echo(json.dumps(told, indent=2))
        else:
            click.echo(fold_lines(f"{self.name}: {said}", width_of(sys.stdout)))
        if go_on and not self.common.is_quiet:
            say(go_on)

    def off(self) -> UsageError:
        """What is told when a command needs an agent that runs."""
        return UsageError(
            f"{self.folder}: {OFF} in this state folder",
            hint="Start one: alectio-agent run",
            code="E-CTL-04",
        )


def waits_for(answer: dict[str, Any]) -> str:
    """What a stop waits for, and how long at most; empty when it waits for nothing.

    Args:
        answer: To `stop` or `restart`.
    """
    running = [f"{job['job']} {job['step']}" for job in answer["jobs"] if job["step"]]
    if not running:
        return ""
    limit_s = answer["drain_timeout_s"]
    deadline = "no deadline" if limit_s is None else f"at most {format_duration(limit_s)}"
    verb = "has" if len(running) == 1 else "have"
    return f"as soon as {' and '.join(running)} {verb} ended ({deadline})"


def in_hand(answer: dict[str, Any]) -> str:
    """The jobs that go on while nothing new is begun; empty without one.

    Args:
        answer: Of the agent.
    """
    jobs = [job["job"] for job in answer["jobs"]]
    if not jobs:
        return ""
    return f"; {' and '.join(jobs)} {'goes' if len(jobs) == 1 else 'go'} on to the end"
