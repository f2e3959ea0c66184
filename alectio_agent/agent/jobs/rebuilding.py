"""Finds the jobs of a lost journal again in the results on disk."""

import logging
from collections.abc import Sequence
from itertools import takewhile

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.origin import Origin
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.restoring import FoundAttempt
from alectio_agent.wire.claims import Claim, Step
from alectio_agent.wire.protocol import STEPS
from alectio_agent.wire.results import JobFailure

log = logging.getLogger(__name__)

HANDED_BACK = "the agent's journal was damaged or lost, and with it what was left to do"


def rebuild(journal: Journal, manifests: Sequence[Manifest]) -> None:
    """Queue results whose jobs the journal does not know.

    What was acknowledged before goes out again: the platform knows its key. A job with steps left
    to do cannot go on, since its claim is gone: it is handed back behind its results.

    Args:
        journal: Knows none of the leases; each is taken in whole or not at all, so that a crash
            in between leaves the rest to the next start.
        manifests: Complete results, in any order.
    """
    attempts = dict[str, list[Manifest]]()
    for manifest in sorted(manifests, key=_moment):
        attempts.setdefault(manifest.lease, []).append(manifest)
    for results in attempts.values():
        journal.restore(_attempt(sorted(results, key=lambda found: STEPS.index(found.step))))
    if attempts:
        log.warning(
            "%d results of %d jobs were in the outbox and not in the journal: sent again, the "
            "platform counts none of them twice",
            len(manifests),
            len(attempts),
        )


def _moment(manifest: Manifest) -> tuple[str, str]:
    return manifest.commit.finished_at, manifest.lease


def _attempt(results: Sequence[Manifest]) -> FoundAttempt:
    claim, is_known = _claim(results)
    by_step = {manifest.step: manifest for manifest in results}
    steps = [order.step for order in claim.steps]
    whole = [by_step[step] for step in takewhile(by_step.__contains__, steps)]
    gap = next(iter(steps[len(whole) :]), None)
    # How many steps there were is not said by what an earlier version wrote: infer is the last.
    is_done = gap is None and (is_known or steps[-1] == STEPS[-1])
    return FoundAttempt(
        claim=claim,
        platform_id=results[0].platform_id,
        whole=whole,
        behind=[manifest for manifest in results if manifest not in whole],
        gap=gap,
        failure=None if is_done else _failure(gap, results[-1].commit.finished_at),
    )


def _claim(results: Sequence[Manifest]) -> tuple[Claim, bool]:
    first = results[0]
    found = next((manifest.origin for manifest in results if manifest.origin), None)
    steps = [manifest.step for manifest in results]
    origin = found or Origin.guessed(first.job, steps)
    return origin.claim(first.job, first.job_id, first.lease), found is not None


def _failure(step: Step | None, finished_at: str) -> JobFailure:
    return JobFailure.of("interrupted", HANDED_BACK, finished_at, step=step)
