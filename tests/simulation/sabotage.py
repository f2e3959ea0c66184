"""Breaks one promise at a time, on purpose: the simulation must notice each of them.

Nothing here touches a file: parts are replaced by broken kinds of them, or by broken functions.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.rows import Message
from alectio_agent.hub.experiments import beats, claims, commits, dealing, messages
from tests.simulation.disk import SimDisk
from tests.simulation.pieces import Pieces, WatchedJournal, WatchedOutbox

SOUND = Pieces()
Breaking = Callable[[], Any]


class LateManifest(WatchedOutbox):
    """The manifest is written only after the commit may have been sent."""

    def complete(self, manifest: Manifest) -> None:
        life = self.life
        life.world.judge.durable(life.machine, manifest)

        def write() -> None:
            if not life.is_dead:
                super(WatchedOutbox, self).complete(manifest)

        life.world.scheduler.after(30.0, lambda: life.spawn("late", write))


class UnsyncedNames(SimDisk):
    """Files are renamed into place, and their folders never synced."""

    def write(self, file: Path, content: bytes) -> None:
        self._point("disk")
        self.put(file, content, is_synced=True)

    def sync_folder(self, folder: Path) -> None:
        self._point("disk")


class UnsyncedCheckpoints(SimDisk):
    """What `train` wrote is not made durable before its result."""

    def sync_tree(self, folder: Path) -> None:
        self._point("disk")


class UnsyncedContent(SimDisk):
    """A file is renamed into place before its content was synced."""

    def write(self, file: Path, content: bytes) -> None:
        self._point("disk")
        self.put(file, content, is_synced=False)
        self._point("disk")
        self.sync_names(file.parent)


class UncountedClaims(WatchedJournal):
    """A claim is journalled, and its number is not counted."""

    def last_seq(self, boot: str) -> int:
        return max(0, super().last_seq(boot) - 1)


class NewestFirst(WatchedJournal):
    """The newest message is sent first."""

    def next_message(self, platform_id: str) -> Message | None:
        rows = self._database.query("SELECT max(id) AS id FROM messages WHERE state = 'pending'")
        newest = rows[0]["id"]
        found = super().next_message(platform_id)
        if found is None or newest is None or newest == found.id:
            return found
        self._database.query("SELECT 1")
        with self._database.transaction(is_synced=False) as run:
            run(
                "UPDATE messages SET state = 'settled' WHERE state = 'pending' AND id < ?",
                (newest,),
            )
        try:
            return super().next_message(platform_id)
        finally:
            with self._database.transaction(is_synced=False) as run:
                run("UPDATE messages SET state = 'pending' WHERE state = 'settled' "
                    "AND ended_at IS NULL")  # fmt: skip


class EarlySettled(WatchedJournal):
    """A message is settled as soon as it is taken out to be sent."""

    def next_message(self, platform_id: str) -> Message | None:
        found = super().next_message(platform_id)
        if found is not None:
            self.settle(found)
        return found


@contextmanager
def replaced(module: Any, name: str, broken: Any) -> Iterator[None]:
    """Put something broken in the place of a function."""
    sound = getattr(module, name)
    setattr(module, name, broken)
    try:
        yield
    finally:
        setattr(module, name, sound)


@contextmanager
def unrepeated_claims() -> Iterator[None]:
    """The hub answers a repeated poll with another job."""
    with (
        replaced(claims, "current_claim", lambda tx, lease: None),
        replaced(dealing, "current_claim", lambda tx, lease: None),
    ):
        yield


@contextmanager
def unchecked_leases() -> Iterator[None]:
    """The hub takes a commit with any lease that it ever gave."""

    def admit(tx: Any, context: Any, job_id: str, step: str, lease: str, said: Any) -> Any:
        commits.check_said(said, step)
        return beats.known_attempt(tx, job_id, lease)

    with replaced(commits, "_admit", admit):
        yield


@contextmanager
def unchecked_keys() -> Iterator[None]:
    """The hub looks a key up, and not at what came under it."""
    with replaced(messages, "_digest", lambda content: ""):
        yield


@contextmanager
def forgotten_keys() -> Iterator[None]:
    """The hub counts a message each time that it comes."""
    with (
        replaced(commits, "is_repeated", lambda tx, job_id, key, content: False),
        replaced(commits, "came_before", lambda tx, job_id, key, content: False),
    ):
        yield


@contextmanager
def nothing_replaced() -> Iterator[None]:
    """Only the pieces are broken."""
    yield


@dataclass(frozen=True)
class Sabotage:
    """One broken promise.

    Attributes:
        within: Seeds in which it must be noticed.
    """

    what: str
    pieces: Pieces = SOUND
    breaking: Breaking = nothing_replaced
    within: int = 60


SABOTAGES = (
    Sabotage("the manifest is written after its commit", Pieces(outbox=LateManifest)),
    Sabotage("names of files are not synced", Pieces(disk=UnsyncedNames)),
    Sabotage("content of files is not synced", Pieces(disk=UnsyncedContent)),
    Sabotage("checkpoints are not synced", Pieces(disk=UnsyncedCheckpoints)),
    Sabotage("the agent does not count its claims", Pieces.with_journal(UncountedClaims)),
    Sabotage("the hub answers a repeated poll anew", breaking=unrepeated_claims),
    Sabotage("the hub checks no lease", breaking=unchecked_leases),
    Sabotage("the hub compares no content under a key", breaking=unchecked_keys),
    Sabotage("the hub forgets keys", breaking=forgotten_keys),
    Sabotage("the newest message is sent first", Pieces.with_journal(NewestFirst)),
    Sabotage("a message is settled before its answer", Pieces.with_journal(EarlySettled)),
)
