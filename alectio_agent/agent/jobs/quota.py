"""How many jobs an agent takes before it leaves by itself."""

from dataclasses import dataclass


@dataclass
class Quota:
    """Counts jobs, and says when no further one is taken.

    Attributes:
        most: Jobs to take; None takes any number.
        leaves_when_idle: Leave as soon as a poll came back without a job and nothing is unsent.
        taken: Jobs taken so far, those of an earlier life that were gone on with among them.
    """

    most: int | None = None
    leaves_when_idle: bool = False
    taken: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether no further job may be taken."""
        return self.most is not None and self.taken >= self.most

    def take(self) -> None:
        """A job was taken."""
        self.taken += 1
