"""What a starting agent does about the one before it, before it asks for work."""

import logging
from collections.abc import Callable, Collection

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.agent.journal.rows import Group, Job
from alectio_agent.core.log import job_logger
from alectio_agent.wire.protocol import STEPS

log = logging.getLogger(__name__)


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

    A complete result without a message gets one. A folder without a manifest belongs to a step
    that did not end: it is removed, and the step is run again. A complete result of a job that
    the journal does not know is left alone.

    Args:
        journal: The rows.
        outbox: The files.
    """
    jobs = {job.claim.lease: job for job in journal.jobs()}
    manifests: list[Manifest] = []
    for folder in outbox.folders():
        manifest = outbox.read(folder)
        if manifest is not None:
            manifests.append(manifest)
        elif folder.name.split(".")[0] in jobs:
            lease, _, step = folder.name.partition(".")
            outbox.remove(lease, step)
    for manifest in sorted(manifests, key=lambda found: STEPS.index(found.step)):
        if job := jobs.get(manifest.lease):
            _queue(journal, job, manifest)


def _queue(journal: Journal, job: Job, manifest: Manifest) -> None:
    if manifest.step in journal.steps_done(manifest.lease):
        return
    journal.put_commit(manifest, is_last=manifest.step == job.claim.steps[-1].step)
    job_logger(log, manifest.job).info("found the finished result of %s on disk", manifest.step)
