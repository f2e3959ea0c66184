"""The key that signs sessions, kept beside the database so that a restart ends none."""

import os
import secrets
from pathlib import Path

from alectio_agent.core.errors import StoreError

KEY_FILE = "session.key"
KEY_BYTES = 32


def session_key(folder: Path) -> bytes:
    """Read the key, or make it.

    Args:
        folder: The hub's.

    Returns:
        32 random bytes. A file of another length is replaced, which ends all sessions.

    Raises:
        StoreError: The disk refuses.
    """
    path = folder / KEY_FILE
    try:
        if path.exists():
            path.chmod(0o600)
            key = path.read_bytes()
            if len(key) == KEY_BYTES:
                return key
        return _make(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _make(path: Path) -> bytes:
    key, temporary = secrets.token_bytes(KEY_BYTES), path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return key
