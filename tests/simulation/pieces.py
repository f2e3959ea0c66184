"""The parts that are watched, or broken on purpose to see whether the simulation notices."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.wire.claims import Claim
from tests.simulation.disk import SimDisk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulation.life import Life


class WatchedOutbox(Outbox):
    """Tells the judge of each result that the agent holds to be durable."""

    def __init__(self, disk: SimDisk, folder: "Path", life: "Life") -> None:
        super().__init__(disk, folder)
        self.life = life

    def complete(self, manifest: Manifest) -> None:
        super().complete(manifest)
        self.life.world.judge.durable(self.life.machine, manifest)


class WatchedJournal(Journal):
    """Tells the judge of each claim."""

    life: "Life"

    def put_claim(self, boot: str, seq: int, claim: Claim, platform_id: str) -> None:
        super().put_claim(boot, seq, claim, platform_id)
        self.life.world.judge.journalled(self.life.machine, boot, seq, claim)


def open_watched(life: "Life", kind: type[WatchedJournal] = WatchedJournal) -> Journal:
    """The journal of a machine."""
    from tests.simulation.agent_site import open_journal

    journal = open_journal(life, kind)
    journal.life = life
    return journal


@dataclass(frozen=True)
class Pieces:
    """What a world is made of."""

    outbox: type[WatchedOutbox] = WatchedOutbox
    journal: Callable[["Life"], Journal] = open_watched
    disk: type[SimDisk] = SimDisk

    @classmethod
    def with_journal(cls, kind: type[WatchedJournal]) -> "Pieces":
        """With another kind of journal."""
        return cls(journal=partial(open_watched, kind=kind))
