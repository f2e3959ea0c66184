"""What makes files outlast a power cut."""

import os
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
