"""What makes files outlast a power cut."""

import os
from functools import lru_cache
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable.

    Args:
        folder: That exists.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=256)
def settle_folder(folder: Path) -> None:
    """Make the name of a folder durable, once in the life of this process.

    A power cut may take a young folder away with all that was synced in it.

    Args:
        folder: That exists; the one above it may be young, too.
    """
    sync_folder(folder.parent)
    sync_folder(folder.parent.parent)
