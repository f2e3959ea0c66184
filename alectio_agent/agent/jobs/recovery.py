"""What a starting agent does about the one before it, before it asks for work."""

import logging
import re
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass, field
from pathlib import Path

from alectio_agent.agent.jobs.rebuilding import rebuild
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.agent.journal.rows import Group, Job
from alectio_agent.core.errors import StoreDamagedError
from alectio_agent.core.log import JobLogger, job_logger
from alectio_agent.wire.protocol import STEPS

log = logging.getLogger(__name__)

_RESULT = re.compile(r"(?P<lease>[A-Za-z0-9_-]{1,64})\.(?P<step>train|test|infer)")
_OUR_LEASE = re.compile(r"[0-9a-f]{32}")
"""A lease of a hub: a folder with such a name is nobody else's, also when it is not known."""


@dataclass
class _Found:
    """What lies in the outbox."""

    complete: list[Manifest] = field(default_factory=list)
    incomplete: list[Path] = field(default_factory=list)
    damaged: list[tuple[Path, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def end_groups(journal: Journal, end_group: Callable[[Group], Collection[int]]) -> None:
    """End the process groups that the last agent left behind.

    Args:
        journal: Knows them.
        end_group: Ends one group, if it is still ours; gives the processes that do not go away.
    """
    for group in journal.groups():
        if not end_group(group):  # else it stays known, and each start tries and tells again
            journal.remove(group.pgid)


def reconcile(journal: Journal, outbox: Outbox) -> None:
    """Make files and rows agree.

    A complete result without a message gets one, and so does one of a job that the journal does
    not know: the journal was lost. It is made durable first: a kill leaves names that were never
    synced, and a power cut would take them away behind a message that promises them. A folder
    without a manifest belongs to a step that did not end: it is removed, and the step is run again.
    A damaged manifest is written anew from its message; without one its folder is moved aside.
    What is not ours is left alone.

    Args:
        journal: The rows.
        outbox: The files.

    Raises:
        StoreVersionError: A newer version wrote a manifest. Nothing was changed.
        StoreError: A file may not be read or written.
    """
    found = _look(outbox)
    for folder, why in found.damaged:
        _mend(journal, outbox, folder, why)
    for folder in found.incomplete:
        lease, _, step = folder.name.partition(".")
        if journal.knows(lease) or _OUR_LEASE.fullmatch(lease):
            outbox.remove(lease, step)
    jobs = {job.claim.lease: job for job in journal.jobs()}
    unqueued = [each for each in found.complete if _is_unqueued(journal, jobs, each)]
    unknown = [each for each in found.complete if not journal.knows(each.lease)]
    outbox.secure([*unqueued, *unknown])
    for manifest in sorted(unqueued, key=lambda each: STEPS.index(each.step)):
        _queue(journal, jobs[manifest.lease], manifest)
    rebuild(journal, unknown)
    if found.foreign:
        log.warning("not of this agent, and left alone: %s", ", ".join(found.foreign[:10]))


def _look(outbox: Outbox) -> _Found:
    found = _Found()
    for folder in outbox.folders():
        if not _RESULT.fullmatch(folder.name):
            if not outbox.is_set_aside(folder):
                found.foreign.append(str(folder))
            continue
        try:
            manifest = outbox.read(folder)
        except StoreDamagedError as error:
            found.damaged.append((folder, error.message))
            continue
        if manifest is None:
            found.incomplete.append(folder)
        else:
            found.complete.append(manifest)
    return found


def _mend(journal: Journal, outbox: Outbox, folder: Path, why: str) -> None:
    lease, _, step = folder.name.partition(".")
    text = journal.manifest_text(lease, step)
    told = _logger(journal, lease, step)
    if text is not None:
        outbox.mend(lease, step, text)
        told.warning("%s; written anew from the journal", why)
        return
    target = outbox.set_aside(folder)
    told.error("E-DISK-04  %s. Moved to %s: its step has no result, and is run again", why, target)


def _logger(journal: Journal, lease: str, step: str) -> logging.Logger | JobLogger:
    """Names the job that a damaged result is of, when it is still known."""
    claim = next((job.claim for job in journal.jobs() if job.claim.lease == lease), None)
    return log if claim is None else job_logger(log, claim.job, claim.attempt, step)


def _is_unqueued(journal: Journal, jobs: Container[str], manifest: Manifest) -> bool:
    """Whether a result of a job in hand has no message."""
    lease = manifest.lease
    return lease in jobs and manifest.step not in journal.steps_done(lease)


def _queue(journal: Journal, job: Job, manifest: Manifest) -> None:
    journal.put_commit(manifest, is_last=manifest.step == job.claim.steps[-1].step)
    told = job_logger(log, manifest.job, job.claim.attempt, manifest.step)
    told.info("found the finished result of %s on disk", manifest.step)
