"""Jobs on their way to a slot: from a claim, or from the journal after a start."""

import logging
from collections.abc import Mapping

from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.earlier import EarlierJobs
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.jobs.taken import TakenLeases
from alectio_agent.wire.agents import PipelineOffer
from alectio_agent.wire.claims import Claim

log = logging.getLogger(__name__)

OTHERS_TEXT = (
    "%d jobs belong to another platform than the one that answers: their results are kept, and "
    "sent when that one answers again"
)


class Intake:
    """Takes each job in hand once, and gives it to a slot; of one thread, the poll loop's."""

    def __init__(self, desk: Desk, slots: Slots) -> None:
        """Start without a job.

        Args:
            desk: What jobs work with.
            slots: Where they go.
        """
        self._desk = desk
        self._slots = slots
        self._earlier = EarlierJobs(desk)
        self._platform_id: str | None = None
        self._waiting: list[tuple[Claim, str]] = []
        self._taken = TakenLeases(desk.journal.leases)

    def enter(self, platform_id: str) -> None:
        """Work for this platform; what belongs to another is kept until that one answers.

        Args:
            platform_id: Of the one that answers.
        """
        if platform_id == self._platform_id:
            return
        self._platform_id = platform_id
        self._earlier.hold_back(self._taken)
        self._taken.keep(self._is_in_hand)
        self._waiting.clear()
        if others := self._desk.journal.foreign_count(platform_id):
            log.warning(OTHERS_TEXT, others)

    def take_up(self, platform_id: str, offers: Mapping[str, PipelineOffer]) -> None:
        """Go on with the jobs of the journal that are not in hand yet.

        Args:
            platform_id: Of the platform that answers.
            offers: By the names of the pipelines that run here.
        """
        for job in self._desk.journal.jobs(platform_id):
            if job.claim.lease in self._taken:
                continue
            self._taken.add(job.claim.lease)
            if self._earlier.can_go_on(job, offers):
                self._waiting.append((job.claim, platform_id))
            else:
                self._earlier.deliver(job.claim)

    def take(self, claim: Claim, platform_id: str) -> None:
        """Take a new job.

        Args:
            claim: In the journal.
            platform_id: Of the platform that gave it.
        """
        self._taken.add(claim.lease)
        self._waiting.append((claim, platform_id))

    def give(self, quota: Quota) -> None:
        """Give jobs to free slots, the oldest first, as far as there are slots for them.

        Args:
            quota: Counts them; none is given once it is spent.
        """
        still = []
        for claim, platform_id in self._waiting:
            slot = None if quota.is_spent else self._slots.pick(claim)
            if slot is None:
                still.append((claim, platform_id))
            else:
                quota.take()
                slot.give(JobRun(claim, platform_id, self._desk, slot.hooks))
        self._waiting = still

    def _is_in_hand(self, lease: str) -> bool:
        is_run = any(run.claim.lease == lease for run in self._slots.in_hand)
        return is_run or self._desk.heartbeats.holds(lease)
