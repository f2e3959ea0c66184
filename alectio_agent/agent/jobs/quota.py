"""How many jobs an agent takes before it leaves by itself, and how they ended."""

from dataclasses import dataclass, field

MOST_NAMES = 1000
"""An agent that runs for a year does not remember each job by name."""


@dataclass
class Quota:
    """Counts jobs, and says when no further one is taken.

    Attributes:
        most: Jobs to take; None takes any number.
        leaves_when_idle: Leave as soon as a poll came back without a job and nothing is unsent.
        taken: Jobs taken so far, those of an earlier life that were gone on with among them.
        done: Those of them that gave all their results, by job; the newest.
        failed: Those that did not, by job; one that a later attempt mended is none of them. The
            newest, too.
    """

    most: int | None = None
    leaves_when_idle: bool = False
    taken: int = 0
    done: dict[str, None] = field(default_factory=dict)
    failed: dict[str, None] = field(default_factory=dict)
    _older_done: int = 0

    @property
    def done_count(self) -> int:
        """How many gave all their results, also those whose names are forgotten."""
        return self._older_done + len(self.done)

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
            self.failed.pop(job, None)
            self.done[job] = None
            self._older_done += _forget_oldest(self.done)
        else:
            self.done.pop(job, None)
            self.failed[job] = None
            _forget_oldest(self.failed)


def _forget_oldest(jobs: dict[str, None]) -> int:
    """Keep the newest names; gives how many are gone."""
    gone = list(jobs)[:-MOST_NAMES]
    for job in gone:
        del jobs[job]
    return len(gone)
