"""What an interrupted `train` left: made durable before the job is handed back."""

from pathlib import Path

from alectio_agent.agent.hooks.partials import newest_partial
from alectio_agent.agent.journal.disk import Disk
from alectio_agent.core.errors import StoreError
from alectio_agent.core.log import JobLogger


def keep_partial(disk: Disk, folder: Path, loop: int, log: JobLogger) -> str | None:
    """Make durable what the next attempt at a loop goes on from, and say so.

    Args:
        disk: Of the agent.
        folder: Of the experiment's checkpoints; may be missing.
        loop: The loop.
        log: Of the job.

    Returns:
        Name of the partial checkpoint; None when there is none that is safe.
    """
    partial = newest_partial(folder, loop)
    if partial is None:
        return None
    try:
        disk.sync_tree(folder)
    except StoreError as error:
        log.warning("the partial checkpoint %s may not last: %s", partial, error.message)
        return None
    log.info(
        "the next attempt here goes on from %s; to train from the start, remove it",
        folder / partial,
    )
    return partial
