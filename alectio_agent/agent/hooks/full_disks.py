"""What a full disk has to do with a hook that raised, whatever it raised."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.disk_errors import FULL, room_left

FULL_BELOW_BYTES = 2**20
"""Libraries tell of a full disk in words of their own; a disk with less than this is full."""


def advise_on_disks(told: Mapping[str, Any], pipeline: PipelineSettings, name: str) -> str:
    """Say which disk is full, or fails, when that may be why a hook raised.

    Args:
        told: Content of the report `failed`.
        pipeline: Its settings.
        name: Of the pipeline.

    Returns:
        A sentence without its full stop; empty when the disks have room.
    """
    number, path = told.get("errno"), told.get("path") or ""
    if number is not None and number not in FULL:
        return f"The disk{f' of {path}' if path else ''} fails: see `dmesg` (E-DISK-08)"
    place = path or next(filter(_is_full, _places(pipeline)), None)
    if place is not None:
        return (
            f"The disk of {place} is full ({room_left(place)}): make room there; checkpoints go to "
            f"pipelines.{name}.checkpoints.dir (E-DISK-06)"
        )
    return "A disk was full when this was raised (E-DISK-06)" if number is not None else ""


def _places(pipeline: PipelineSettings) -> list[Path]:
    """Where hooks write, mostly."""
    return [pipeline.checkpoints.dir, pipeline.cwd, Path(tempfile.gettempdir())]


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    is_without_inodes = found.f_files > 0 and found.f_favail == 0
    return is_without_inodes or found.f_bavail * found.f_frsize < FULL_BELOW_BYTES
