"""Which keys of agent.yaml a running agent takes over, and which wait for a restart."""

from collections.abc import Callable
from typing import Any

from alectio_agent.config.settings import AgentFile

LIVE = frozenset(
    {
        "claim.min_free_disk", "claim.check",
        "outbox.keep_sent", "outbox.max_size",
        "logging.level", "logging.format", "logging.keep", "logging.max_size",
        "notify.command", "notify.on",
    }
)  # fmt: skip
"""In force as soon as the file was read again."""
RESTART = {
    "agent": "the platform, or the control socket, knows it since the start",
    "platform": "what is under way belongs to one platform (the token itself is read anew anyway)",
    "proxy": "connections are open over it",
    "tls": "connections are open with it; hooks have the file of authorities",
    "slots": "jobs run in them",
    "pipelines": "the platform was told of them; hooks run with them",
    "experiment": "the hub in the box runs it",
    "audit": "the record was opened with it",
    "metrics": "the file was opened with it",
}
"""Sections and keys that need a restart, and why."""


class InForce:
    """Hands new settings to the parts of an agent that can change while it works."""

    def __init__(self) -> None:
        """Start without any part."""
        self._parts: list[Callable[[AgentFile], object]] = []

    def on_change(self, take: Callable[[AgentFile], object]) -> None:
        """Add a part.

        Args:
            take: Takes over what it needs; from any thread.
        """
        self._parts.append(take)

    def take(self, settings: AgentFile) -> None:
        """Let all parts take over.

        Args:
            settings: With the values of now.
        """
        for take in self._parts:
            take(settings)


def changed_keys(before: AgentFile, now: AgentFile) -> list[str]:
    """The keys that differ, at the depth of sections and pipelines.

    Args:
        before: In force.
        now: In the file.
    """
    old_values, values = before.model_dump(), now.model_dump()
    keys = []
    for section in sorted(values):
        old, new = old_values[section], values[section]
        if isinstance(old, dict) and isinstance(new, dict):
            names: list[Any] = sorted(old.keys() | new.keys())
            keys += [f"{section}.{name}" for name in names if old.get(name) != new.get(name)]
        elif old != new:
            keys.append(section)
    return keys
