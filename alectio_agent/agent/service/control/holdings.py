"""What an agent's folders hold and its disks have room for; from any process that may look."""

from collections.abc import Iterable
from pathlib import Path

from alectio_agent.agent.hooks.checkpoints import held_checkpoints
from alectio_agent.agent.service.control.status import CheckpointStatus, DiskStatus
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import StoreError
from alectio_agent.core.free_disk import free_bytes


def checkpoints_held(settings: AgentFile) -> list[CheckpointStatus]:
    """Count the checkpoints of every pipeline.

    Args:
        settings: The agent's.
    """
    return [
        CheckpointStatus(
            pipeline=name,
            folder=str(pipeline.checkpoints.dir),
            held=_held_in(pipeline.checkpoints.dir),
        )
        for name, pipeline in settings.pipelines.items()
    ]


def disks_used(settings: AgentFile) -> list[DiskStatus]:
    """Look at each disk that the agent writes to, once.

    Args:
        settings: The agent's.
    """
    folders = [settings.agent.state_dir]
    folders += [pipeline.checkpoints.dir for pipeline in settings.pipelines.values()]
    return [DiskStatus(folder=str(each), free_bytes=_free(each)) for each in _apart(folders)]


def _held_in(folder: Path) -> dict[str, int]:
    try:
        found = {each.name: _count(each) for each in sorted(folder.iterdir()) if each.is_dir()}
    except OSError:
        return {}
    return {name: count for name, count in found.items() if count}


def _count(folder: Path) -> int:
    try:
        return len(held_checkpoints(folder))
    except StoreError:
        return 0


def _apart(folders: Iterable[Path]) -> list[Path]:
    """The first folder on each device; one that is not there yet is nowhere."""
    seen: dict[int, Path] = {}
    for folder in folders:
        try:
            seen.setdefault(folder.stat().st_dev, folder)
        except OSError:
            continue
    return list(seen.values())


def _free(folder: Path) -> int | None:
    try:
        return free_bytes(folder)
    except OSError:
        return None
