"""Sections `audit` and `metrics` of `agent.yaml`: what is told of this agent, on this machine."""

from alectio_agent.config.section import Section
from alectio_agent.config.values import AbsolutePath, Duration

YEAR_S = 365 * 86400.0


class AuditSettings(Section):
    """Section `audit`: the record of what left the site.

    Attributes:
        keep: Seconds that a row of it stays.
        journald: Send each row to the journal of systemd as well.
    """

    keep: Duration = 2 * YEAR_S
    journald: bool = False


class MetricsSettings(Section):
    """Section `metrics`.

    Attributes:
        textfile: Written for the textfile collector of node_exporter, readable by all; None for no
            metrics.
    """

    textfile: AbsolutePath | None = None
