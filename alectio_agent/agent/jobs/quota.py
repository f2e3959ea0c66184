"""How many jobs an agent takes before it leaves by itself, and how they ended."""

from dataclasses import dataclass, field


@dataclass
class Quota:
    """Counts jobs, and says when no further one is taken.

    Attributes:
        most: Jobs to take; None takes any number.
        leaves_when_idle: Leave as soon as a poll came back without a job and nothing is unsent.
        taken: Jobs taken so far, those of an earlier life that were gone on with among them.
        done: Those of them that gave all their results, by job.
        failed: Those that did not, by job; one that a later attempt mended is none of them.
    """

    most: int | None = None
    leaves_when_idle: bool = False
    taken: int = 0
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    @property
    def is_spent(self) -> bool:
        """Whether no further job may be taken."""
        return self.most is not None and self.taken >= self.most

    def take(self) -> None:
        """A job was taken."""
        self.taken += 1

    def note_end(self, job: str, *, is_done: bool) -> None:
        """A job ended here.

        Args:
            job: `experiment/loop`.
            is_done: It gave all its results.
        """
        if is_done:
            self.done.add(job)
            self.failed.discard(job)
        else:
            self.done.discard(job)
            self.failed.add(job)
