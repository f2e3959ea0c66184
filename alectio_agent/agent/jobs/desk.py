"""What every job of this agent works with."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alectio_agent.agent.jobs.counters import Counters
from alectio_agent.agent.jobs.disk_trouble import DiskTrouble
from alectio_agent.agent.jobs.events import Tell, tell_nobody
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.share import Shares
from alectio_agent.agent.jobs.told_once import ToldOnce
from alectio_agent.agent.journal.disk import Disk
from alectio_agent.agent.journal.job_logs import JobLog
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import Clock
from alectio_agent.wire.claims import Claim


@dataclass(frozen=True)
class Desk:
    """What every job of this agent works with.

    Attributes:
        shares: What may leave the site.
        log_folder: A file per job attempt, with what the hooks print.
        leaving: Set when the agent finishes the running step and goes.
        delivery: Set to wake the sender.
        logs: Sends what the hooks print.
        parts: Sends parts of results.
        told: Which warnings were logged already.
        is_paused: Whether somebody on this machine wants no job to begin.
        tell: Told of jobs that fail.
        disk_trouble: Who waits for the disk.
        begun: Set when hooks begin to print.
        counters: Count what comes of jobs.
        is_measured: Whether somebody wants to know what memory steps take.
    """

    journal: Journal
    outbox: Outbox
    disk: Disk
    heartbeats: Heartbeats
    pipelines: Mapping[str, PipelineSettings]
    shares: Shares
    log_folder: Path
    clock: Clock
    rng: random.Random
    leaving: threading.Event
    delivery: threading.Event
    logs: LogSender
    parts: PartCourier
    told: ToldOnce = field(default_factory=ToldOnce)
    is_paused: Callable[[], bool] = lambda: False
    tell: Tell = tell_nobody
    disk_trouble: DiskTrouble = field(default_factory=DiskTrouble)
    begun: threading.Event = field(default_factory=threading.Event)
    counters: Counters = field(default_factory=Counters)
    is_measured: bool = False

    def log_file(self, claim: Claim) -> Path:
        """The file with what the hooks of a job print."""
        return self.log_folder / JobLog(claim.experiment, claim.loop, claim.attempt).file_name
