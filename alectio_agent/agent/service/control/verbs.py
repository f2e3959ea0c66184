"""What each verb does to the agent, and what it answers."""

import logging
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from alectio_agent.agent.jobs.carried import Verdict
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.journal.by_hand import Parked
from alectio_agent.agent.service.control.job_log import HAND_OVER, find_log
from alectio_agent.agent.service.control.pauses import Pauses
from alectio_agent.agent.service.control.protocol import OTHER_VERSION, Request
from alectio_agent.agent.service.control.reloaded import Reloaded
from alectio_agent.agent.service.control.telling import StatusTeller
from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand
from alectio_agent.core.errors import ControlWordsError, UsageError
from alectio_agent.wire.agents import Boot

log = logging.getLogger(__name__)

Answer = dict[str, Any]


class Steered(Protocol):
    """The agent as the verbs see it."""

    def snapshot(self) -> AgentSnapshot:
        """What it is doing."""

    def stop(self) -> None:
        """Finish the running step, then leave; the second time cancel it."""

    def cancel(self) -> None:
        """Cancel the running step, then leave."""

    @property
    def sender(self) -> Sender:
        """Delivers results."""


@dataclass(frozen=True)
class Site:
    """What the verbs need beside the agent itself.

    Attributes:
        name: Of the agent, for people here.
        drain_timeout_s: How long a stop waits for the running step; None for ever.
        reload: Reads the configuration again; ConfigError when it cannot be used.
        check_start: Raises what a start with the files of now would end with.
        teller: Knows what this life began with.
        parked: Counts the results that were refused.
    """

    name: str
    boot: Boot
    pauses: Pauses
    drain_timeout_s: float | None
    reload: Callable[[], Reloaded]
    check_start: Callable[[], None]
    teller: StatusTeller
    parked: Callable[[], Parked]


class Verbs:
    """Answers requests, one at a time."""

    def __init__(self, agent: Steered, site: Site) -> None:
        """Bind them; `starts_again` tells whether the end of the agent is followed by a start.

        Args:
            agent: Runs.
            site: What else the verbs need.
        """
        self._agent, self._site = agent, site
        self.starts_again = False
        self._verbs: dict[str, Callable[[Request], Answer]] = {
            "ping": lambda _: self.state(),
            "state": lambda _: self.state(),
            "status": lambda _: self._status(),
            "retry": self._retry,
            "verdicts": self._verdicts,
            "log": self._log,
            "pause": self._pause,
            "resume": self._resume,
            "stop": self._stop,
            "restart": self._restart,
            "reload": self._reload,
        }

    def __call__(self, request: Request) -> Answer:
        """Do what is asked.

        Args:
            request: Of somebody who may.

        Raises:
            AlectioAgentError: It cannot be done; nothing has changed.
        """
        verb = self._verbs.get(request.verb)
        if verb is None:
            raise ControlWordsError(
                f"found the verb `{request.verb}`, this agent ({self._site.teller.version}) knows "
                f"{', '.join(self._verbs)}",
                hint=OTHER_VERSION,
            )
        return verb(request)

    def state(self) -> Answer:
        """What the agent is doing."""
        seen, pause = self._agent.snapshot(), self._site.pauses.current
        return {
            "name": self._site.name,
            "version": self._site.teller.version,
            "state": seen.state,
            "jobs": [_job(job) for job in seen.jobs],
            "paused": pause and pause.members(),
            "held_back": seen.held_back,
            "stops_asked": seen.stops.asked,
            "starts_again": self.starts_again,
            "pid": os.getpid(),
            "boot": self._site.boot.model_dump(),
        }

    def _status(self) -> Answer:
        sender = self._agent.sender
        told = self._site.teller.tell(
            self._agent.snapshot(), self._site.parked(), sender.platform_id
        )
        return told.model_dump()

    def _retry(self, request: Request) -> Answer:
        return {**self.state(), "retried": self._agent.sender.retry(request.job)}

    def _verdicts(self, request: Request) -> Answer:
        said = [Verdict(**told.model_dump()) for told in request.verdicts]
        count = self._agent.sender.take_verdicts(request.platform_id, said)
        return {**self.state(), "noted": count}

    def _log(self, request: Request) -> Answer:
        folder = self._site.teller.log_folder
        found = find_log(folder, request.job, request.attempt)
        told = {"experiment": found.experiment, "loop": found.loop, "attempt": found.attempt}
        return {**told, HAND_OVER: folder / found.file_name}

    def _pause(self, request: Request) -> Answer:
        self._site.pauses.begin(request.for_s, request.note)
        return self.state()

    def _resume(self, _: Request) -> Answer:
        before = self._site.pauses.end()
        return {**self.state(), "was_paused": before and before.members()}

    def _stop(self, request: Request) -> Answer:
        self.starts_again = False
        return self._end(is_now=request.now)

    def _restart(self, request: Request) -> Answer:
        self._site.check_start()
        if self._agent.snapshot().stops.asked and not self.starts_again:
            raise UsageError(
                "the agent is stopping already; a stop is not turned into a restart",
                hint="Wait for its end (alectio-agent stop --wait), then: alectio-agent run",
            )
        self.starts_again = True
        return self._end(is_now=request.now)

    def _end(self, *, is_now: bool) -> Answer:
        """Ask once: a script that repeats itself must not cancel what another stop waits for."""
        asked = self._agent.snapshot().stops.asked
        if is_now and asked < 2:
            self._agent.cancel()
        elif asked == 0:
            self._agent.stop()
        return {**self.state(), "drain_timeout_s": self._site.drain_timeout_s}

    def _reload(self, _: Request) -> Answer:
        return {**self.state(), **asdict(self._site.reload())}


def _job(job: JobInHand) -> Answer:
    running = [mark.step for mark in job.steps if mark.state == "running"]
    return {"job": job.job, "attempt": job.attempt, "step": running[0] if running else None}
