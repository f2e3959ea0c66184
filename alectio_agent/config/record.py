"""Sections `audit` and `metrics` of `agent.yaml`: what is told of this agent, on this machine."""

from pydantic import field_validator

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
        textfile: Written for the textfile collector of node_exporter, readable by all; its name
            ends with `.prom`. None for no metrics.
    """

    textfile: AbsolutePath | None = None

    @field_validator("textfile", mode="after")
    @classmethod
    def _is_looked_at(cls, found: AbsolutePath | None) -> AbsolutePath | None:
        if found is not None and found.suffix != ".prom":
            raise ValueError(
                f"found {found.name}, expected a file whose name ends with .prom: the collector "
                "looks at no other"
            )
        return found
