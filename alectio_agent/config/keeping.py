"""Sections `outbox` and `logging` of `agent.yaml`: what stays on this machine, and how long."""

from typing import Literal

from alectio_agent.config.section import Section
from alectio_agent.config.sizes import KeptSize
from alectio_agent.config.values import Duration

GIB = 2**30
DAY_S = 86400.0


class OutboxSettings(Section):
    """Section `outbox`.

    Attributes:
        keep_sent: Seconds that a result stays on disk after the platform has acknowledged it.
        max_size: Bytes of all results on disk; above it those that were acknowledged go first.
            One that was not acknowledged never goes. 1 MiB or more.
    """

    keep_sent: Duration = 7 * DAY_S
    max_size: KeptSize = 50 * GIB


class LoggingSettings(Section):
    """Section `logging`.

    Attributes:
        level: Which lines are written: those of this level and above.
        format: `text` for people, `json` for machines, `journald` with priorities; `auto` is
            `journald` in a unit of systemd, else `text`.
        keep: Seconds that a job's log stays on disk after the job has ended.
        max_size: Bytes of all jobs' logs; above it the oldest go first. 1 MiB or more.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json", "journald"] = "auto"
    keep: Duration = 30 * DAY_S
    max_size: KeptSize = 1 * GIB
