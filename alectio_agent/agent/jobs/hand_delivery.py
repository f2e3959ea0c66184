"""Delivers results that were carried here, for the agent that computed them."""

import logging
import random
import threading
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.carried import Outcome, Verdict
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.part_worker import PartWorker
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.export_form import CarriedMessage, Export
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.wire.results import JobFailure

log = logging.getLogger(__name__)

LONGEST_S = 60.0
"""A platform that wants longer than this between two tries is asked another day."""
OUTCOMES: dict[str, Outcome] = {
    "settled": "accepted", "superseded": "superseded", "parked": "refused",
}  # fmt: skip
UNDELIVERED = "not all could be delivered: {why}. Nothing is lost: import the same file again"


@dataclass(frozen=True)
class Way:
    """How the platform is reached.

    Attributes:
        client: With the token of whoever delivers.
    """

    client: PlatformClient
    clock: Clock
    rng: random.Random


def deliver(export: Export, folder: Path, way: Way) -> list[Verdict]:
    """Send everything, in order, by the rules that its own agent goes by; again changes nothing.

    Args:
        export: From `unpack_export`.
        folder: Where its parts were laid out; gets a journal of its own.
        way: To the platform that the export names.

    Returns:
        What the platform said of each message.

    Raises:
        PlatformError: It does not answer, or refuses whoever delivers.
        StoreError: The folder cannot be written.
    """
    disk, clock = SystemDisk(), way.clock
    journal = Journal(folder / "agent.db", clock)
    try:
        _fill(journal, export)
        parts = PartCourier(way.client, Outbox(disk, folder / "outbox"), clock)
        parts.on_work = _work_off
        beats, backoff = Heartbeats(way.client, clock), Backoff(way.rng)
        sender = Sender(way.client, journal, parts, beats, clock, backoff)
        sender.set_platform(export.platform_id)
        _send_all(sender, clock)
        return _verdicts(journal, export.messages)
    finally:
        journal.close()


def _fill(journal: Journal, export: Export) -> None:
    for number, claim in enumerate(export.claims, 1):
        journal.put_claim("import", number, claim, export.platform_id)
    for message in export.messages:
        if message.kind == "fail":
            failure = JobFailure.model_validate_json(message.body)
            journal.put_failure(message.lease, failure)
        else:
            journal.put_commit(Manifest.model_validate_json(message.body), is_last=False)


def _send_all(sender: Sender, clock: Clock) -> None:
    never = threading.Event()
    while not sender.is_idle:
        wait_s = sender.step()
        if not sender.is_failing:
            continue  # parts are sent where they are wanted: by now they have arrived
        if sender.trouble or wait_s > LONGEST_S:
            raise PlatformUnavailableError(
                UNDELIVERED.format(why=sender.trouble or "the platform asks to wait")
            )
        clock.wait(never, wait_s)


def _work_off(worker: PartWorker) -> None:
    """One after the other, here and now: nobody computes meanwhile."""
    while worker.step() == 0:
        pass


def _verdicts(journal: Journal, messages: list[CarriedMessage]) -> list[Verdict]:
    ends = journal.by_hand.ends()
    said = [(message.key, *ends[message.key]) for message in messages]
    return [Verdict(key, OUTCOMES[state], reason) for key, state, reason in said]
