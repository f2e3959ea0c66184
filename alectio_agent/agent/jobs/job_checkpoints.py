"""What a job does about its experiment's checkpoints: makes them durable, lets old ones go."""

from collections.abc import Mapping
from typing import Any

from alectio_agent.agent.hooks.checkpoints import prune_checkpoints
from alectio_agent.agent.hooks.partials import remove_partials
from alectio_agent.agent.jobs.kept_partial import keep_partial
from alectio_agent.agent.journal.disk import Disk
from alectio_agent.config.pipeline import CheckpointSettings
from alectio_agent.core.errors import StoreError, StoreFailingError
from alectio_agent.core.log import JobLogger
from alectio_agent.wire.claims import Claim


class JobCheckpoints:
    """Of one job."""

    def __init__(
        self,
        claim: Claim,
        settings: CheckpointSettings,
        disk: Disk,
        log: JobLogger,
    ) -> None:
        """Bind it; nothing is looked at yet.

        Args:
            claim: The job.
            settings: Where they lie, and how many stay.
            disk: Makes them durable.
            log: Of the job.
        """
        self._loop = claim.loop
        self._folder = settings.dir / claim.experiment
        self._keep = settings.keep
        self._disk = disk
        self._log = log

    def sync(self) -> None:
        """Make durable what `train` wrote.

        Raises:
            StoreError: The disk refuses.
        """
        if not self._folder.is_dir():
            return
        try:
            self._disk.sync_tree(self._folder)
        except StoreFailingError as error:
            # Linux tells a broken sync once; the next one says that all is well.
            self._log.warning("the checkpoint may be damaged: %s", error.message)
            raise

    def prune(self, payload: Mapping[str, Any]) -> None:
        """Let old checkpoints go, and what this loop saved in its middle.

        Args:
            payload: Of the `train` whose result is durable now.
        """
        protected = {payload["ckpt_file"], payload["resume_from"] or ""}
        try:
            prune_checkpoints(self._folder, self._keep, protected)
            remove_partials(self._folder, self._loop)
        except StoreError as error:
            self._log.warning("old checkpoints stay for now: %s", error.message)

    def keep_partial(self) -> str | None:
        """Make durable what an ended `train` has saved in its middle.

        Returns:
            Its name; None when there is none.
        """
        return keep_partial(self._disk, self._folder, self._loop, self._log)
