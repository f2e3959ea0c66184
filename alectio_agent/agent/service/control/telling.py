"""Tells how it stands with a running agent, as `status` prints it."""

import os
from datetime import timedelta
from importlib.metadata import version

from alectio_agent.agent.client.traffic import Contact
from alectio_agent.agent.jobs.step_marks import left_by_progress
from alectio_agent.agent.journal.by_hand import Parked
from alectio_agent.agent.journal.job_logs import FOLDER
from alectio_agent.agent.service.control.holdings import checkpoints_held, disks_used
from alectio_agent.agent.service.control.pauses import Pauses
from alectio_agent.agent.service.control.status import (
    ContactStatus,
    JobStatus,
    Moment,
    OutboxStatus,
    PauseStatus,
    Status,
)
from alectio_agent.agent.service.snapshot import AgentSnapshot, JobInHand
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.wire.agents import Boot

PACKAGE = "alectio-agent"


class StatusTeller:
    """Made when the agent starts: what it runs is what is installed then."""

    def __init__(self, settings: AgentFile, boot: Boot, pauses: Pauses, clock: Clock) -> None:
        """Remember the start.

        Args:
            settings: The agent's, as it runs with them.
            boot: Of this life.
            pauses: Of this agent.
            clock: For moments.
        """
        self._settings, self._boot, self._pauses, self._clock = settings, boot, pauses, clock
        self._started_at = timestamp(clock.now())
        self.version = version(PACKAGE)
        self.log_folder = settings.agent.state_dir / FOLDER

    def tell(self, seen: AgentSnapshot, parked: Parked, platform_id: str | None) -> Status:
        """Put the document together.

        Args:
            seen: What the agent is doing.
            parked: What the platform refused.
            platform_id: Of the platform that answered; None before it did.
        """
        # What the files are by now: an update may have been installed since the start.
        installed, pause = version(PACKAGE), self._pauses.current
        return Status(
            name=self._settings.agent.name,
            is_running=True,
            state=seen.state,
            since=self._at(seen, seen.since_s) or self._started_at,
            started_at=self._started_at,
            pid=os.getpid(),
            boot=self._boot.count,
            version=self.version,
            installed=installed,
            needs_restart=installed != self.version,
            folder=str(self._settings.agent.state_dir),
            slots=seen.slots,
            jobs=[self._job(seen, job) for job in seen.jobs],
            platform=self._platform(seen, seen.contact, platform_id),
            outbox=OutboxStatus(
                pending=seen.unsent.messages,
                pending_bytes=seen.unsent.size_bytes,
                parked=parked.messages,
                parked_bytes=parked.size_bytes,
            ),
            checkpoints=checkpoints_held(self._settings),
            disks=disks_used(self._settings),
            paused=None if pause is None else PauseStatus.model_validate(pause.members()),
            held_back=seen.held_back,
            trouble=seen.trouble,
            failing=dict(seen.failing),
        )

    def _platform(
        self, seen: AgentSnapshot, contact: Contact, platform_id: str | None
    ) -> ContactStatus:
        return ContactStatus(
            url=self._settings.platform.url,
            platform_id=platform_id,
            last_at=self._at(seen, contact.answered_s),
            silent_since=self._at(seen, contact.silent_s),
            last_error=contact.error,
            last_error_at=self._at(seen, contact.error_s),
            sent_bytes=contact.sent_bytes,
        )

    def _job(self, seen: AgentSnapshot, job: JobInHand) -> JobStatus:
        running = next((mark for mark in job.steps if mark.state == "running"), None)
        progress = None if job.noted is None else job.noted.progress
        left_s = None
        if running is not None and job.noted is not None:
            left_s = left_by_progress(job.noted, running.began_s, seen.at_s)
        return JobStatus(
            slot=job.slot,
            job=job.job,
            loops=job.loops,
            attempt=job.attempt,
            began_at=self._at(seen, job.began_s) or self._started_at,
            step=None if running is None else running.step,
            step_began_at=None if running is None else self._at(seen, running.began_s),
            steps_done=[mark.step for mark in job.steps if mark.state == "done"],
            done=None if progress is None else progress.done,
            total=None if progress is None else progress.total,
            numbers={} if progress is None else progress.numbers,
            left_s=left_s,
        )

    def _at(self, seen: AgentSnapshot, then_s: float | None) -> Moment | None:
        if then_s is None:
            return None
        return timestamp(self._clock.now() - timedelta(seconds=seen.at_s - then_s))
