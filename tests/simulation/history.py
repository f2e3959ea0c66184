"""What happened, in order: the checker judges nothing else but this and what lies on disks."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Happening:
    """One event."""

    at_s: float
    what: str
    told: dict[str, Any]

    def __str__(self) -> str:
        told = " ".join(f"{name}={_short(value)}" for name, value in self.told.items())
        return f"{self.at_s:10.3f}  {self.what:<18} {told}"


def _short(value: Any) -> str:
    text = str(value)
    return text[:8] if len(text) == 32 and text.isalnum() else text


class History:
    """Everything that was noted, and what was wrong with it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.events: list[Happening] = []
        self.violations: list[str] = []
        self.is_told = False

    def note(self, what: str, /, **told: Any) -> None:
        """Something happened."""
        event = Happening(self._now(), what, told)
        self.events.append(event)
        if self.is_told:
            print(event)

    def violate(self, what: str) -> None:
        """A promise was broken."""
        self.note("VIOLATION", promise=what)
        self.violations.append(f"at {self._now():.3f} s: {what}")

    def of(self, what: str) -> list[Happening]:
        """All events of a kind."""
        return [event for event in self.events if event.what == what]

    def digest(self) -> str:
        """Two runs of one seed are the same when this is."""
        text = "\n".join(map(str, self.events))
        return hashlib.sha256(text.encode()).hexdigest()
