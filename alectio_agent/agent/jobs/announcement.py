"""What the agent says of itself when it registers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alectio_agent.agent.journal.identity import Identity
from alectio_agent.wire.agents import HeldCheckpoint, PipelineOffer, Registration


@dataclass(frozen=True)
class Announcement:
    """What the agent says of itself.

    Attributes:
        offers: The registered pipelines by name.
        checkpoints: Lists what is on disk, anew for each registration.
        slots: How many jobs run side by side.
        digest: SHA-256 over a pipeline's first n record names; None without a `state` hook.
    """

    name: str
    version: str
    tags: list[str]
    offers: Mapping[str, PipelineOffer]
    checkpoints: Callable[[], list[HeldCheckpoint]]
    digest: Callable[[str, int], str | None]
    slots: int = 1

    def registration(self, identity: Identity, holding: list[str], seq: int) -> Registration:
        """The message to register with.

        Args:
            identity: Of this boot.
            holding: Leases of the jobs in the journal.
            seq: The newest claim there, of this boot.
        """
        return Registration(
            installation_id=identity.installation_id,
            boot=identity.boot,
            name=self.name,
            version=self.version,
            pipelines=list(self.offers.values()),
            slots=self.slots,
            tags=self.tags,
            holding=holding,
            seq=seq,
            checkpoints=self.checkpoints(),
        )
