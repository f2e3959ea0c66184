"""What a reload did; known also to those who start before the rest is imported."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reloaded:
    """What reading the configuration again did.

    Attributes:
        file: That was read.
        changed: Keys whose new value is in force.
        needs_restart: Keys that differ and wait for a restart.
    """

    file: str
    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
