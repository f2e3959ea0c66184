"""A desk: everything that a job of the agent works with, on fakes and a real journal."""

import random
import threading
from pathlib import Path

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.log_sender import LogSender
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.share import STRICT, Share, Shares
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.share import OPEN
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk
from tests.support.platforms import FakePlatform

AGENT_YAML = """
pipelines:
  digits: {hooks: processes.py, pool_size: 10, keep_warm: 5m}
experiment: experiment.yaml
"""


def make_desk(folder: Path, platform: FakePlatform, clock: FakeClock, *, full: bool = True) -> Desk:
    """A desk whose journal lies in `folder`; close the journal after use."""
    (folder / "agent.yaml").write_text(AGENT_YAML)
    (folder / "processes.py").write_text("")
    settings = load(folder / "agent.yaml", AgentFile)
    disk, shares = MemoryDisk(), Shares(otherwise=Share(OPEN if full else STRICT))
    outbox = Outbox(disk, folder / "outbox")
    return Desk(
        journal=Journal(folder / "agent.db", clock),
        outbox=outbox,
        disk=disk,
        heartbeats=Heartbeats(platform, clock),
        pipelines=settings.pipelines,
        shares=shares,
        log_folder=folder / "logs",
        clock=clock,
        rng=random.Random(1),
        leaving=threading.Event(),
        delivery=threading.Event(),
        parts=PartCourier(platform, outbox, clock),
        logs=LogSender(platform, shares, clock, Backoff(random.Random(4))),
    )
