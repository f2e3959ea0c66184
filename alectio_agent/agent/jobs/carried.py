"""What a platform said of results that a person carried to it by hand."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.core.log import job_logger

log = logging.getLogger(__name__)

Outcome = Literal["accepted", "superseded", "refused"]


@dataclass(frozen=True)
class Verdict:
    """Of one message.

    Attributes:
        key: Of the message.
        outcome: `superseded`: another attempt counted. `refused`: for good.
        reason: As the platform gave it; empty when it accepted.
    """

    key: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Ended:
    """What a verdict did to an attempt.

    Attributes:
        is_closed: Nothing of the attempt waits any more.
        is_lost: It must not go on: another one counted.
    """

    lease: str
    is_closed: bool
    is_lost: bool = False
    reason: str = ""


def note_verdicts(
    journal: Journal,
    platform_id: str,
    verdicts: Sequence[Verdict],
    tell: Callable[[Ended], None],
) -> int:
    """Note each verdict as if the platform had given it here; again changes nothing.

    What is refused waits for a person. The job is not failed from here: the platform was told
    by whoever carried the result.

    Args:
        journal: Of the agent whose results they were.
        platform_id: Of the platform that gave them; messages for another are left alone.
        verdicts: Any; those about messages that do not wait are passed over.
        tell: Told of each attempt that this changes.

    Returns:
        How many were news.
    """
    count = 0
    for verdict in verdicts:
        message = journal.by_hand.waiting(verdict.key, platform_id)
        if message is None:
            continue
        count += 1
        said = f"{message.step or message.kind} was carried by hand: {verdict.outcome}"
        job_logger(log, message.job).info("%s %s", said, verdict.reason)
        if verdict.outcome == "superseded":
            journal.supersede(message.lease, verdict.reason)
            tell(Ended(message.lease, is_closed=True, is_lost=True, reason=verdict.reason))
        elif verdict.outcome == "refused":
            tell(Ended(message.lease, is_closed=journal.park(message, verdict.reason)))
        else:
            tell(Ended(message.lease, is_closed=journal.settle(message)))
    return count
