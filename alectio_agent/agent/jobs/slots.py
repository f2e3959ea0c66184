"""All slots of an agent: which are free, and which of them gets a job."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.agent.jobs.slot import MOST_ENDED, EndedJob, Slot
from alectio_agent.wire.claims import Claim


class Slots:
    """Jobs are given by one thread, the poll loop's; it may be looked at from any."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        """Take the slots of an agent.

        Args:
            slots: At least one, in the order of the configuration.
        """
        self.all = tuple(slots)
        self.ended: deque[EndedJob] = deque(maxlen=MOST_ENDED)
        for slot in self.all:
            slot.ended = self.ended  # one history, in the order in which jobs end

    def tell(self, on_free: Callable[[], None]) -> None:
        """Name who is told when a job is over.

        Args:
            on_free: Called in the thread of the slot, which is free by then.
        """
        for slot in self.all:
            slot.on_free = on_free

    @property
    def are_idle(self) -> bool:
        """Whether no slot has a job."""
        return all(slot.is_free for slot in self.all)

    @property
    def in_hand(self) -> list[JobRun]:
        """The jobs in hand, in the order of their slots."""
        runs = [slot.in_hand for slot in self.all]
        return [run for run in runs if run is not None]

    def log_files(self) -> list[Path]:
        """What the hooks of the jobs in hand print into."""
        return [file for slot in self.all for file in slot.log_files()]

    def runnable(self, pipelines: Iterable[str]) -> list[str]:
        """The pipelines that a free slot may run.

        Args:
            pipelines: By name.
        """
        free = [slot for slot in self.all if slot.is_free]
        return [name for name in pipelines if any(slot.may_run(name) for slot in free)]

    def pick(self, claim: Claim) -> Slot | None:
        """The free slot that begins a job soonest: with a warm process for it, else with none.

        Args:
            claim: The job.

        Returns:
            The first of equals; None when no free slot may run its pipeline.
        """
        free = [slot for slot in self.all if slot.is_free and slot.may_run(claim.pipeline)]
        # A process that is warm for another experiment would have to load its model again.
        return max(
            free,
            key=lambda slot: slot.hooks.readiness(claim.pipeline, claim.experiment),
            default=None,
        )
