"""Writes the agent's token: closed to others, whole or not at all."""

import os
from pathlib import Path

from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import printable

Owner = tuple[int, int]
"""User and group, as numbers."""


def write_token_file(path: Path, token: str, owner: Owner | None = None) -> None:
    """Put a token in the place of another, or where none was.

    An agent that reads at this moment gets the old one or the new one, never a part of it.

    Args:
        path: Of the file; a link stays one, and the file behind it is exchanged.
        token: Nothing else stands in the file.
        owner: Whose the file becomes; None for this user's. Only root can give files away.

    Raises:
        ConfigError: It cannot be written; the file is as it was.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.new")
    try:
        # One left by a killed process might be open to others: it is never written into.
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                if owner is not None:
                    os.fchown(descriptor, *owner)
                file.write(token + "\n")
                file.flush()
                os.fsync(descriptor)
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
    except OSError as error:
        raise ConfigError(
            f"E-AUTH-01  {printable(path)} cannot be written ({error.strerror})",
            hint="Name another place with --token-file, or run this as the user who may write it.",
        ) from error


def token_owner(path: Path, state_dir: Path | None) -> Owner | None:
    """Whose a token file must be, when root writes it for a service.

    Args:
        path: Of the file; need not exist.
        state_dir: Belongs to the agent's user, if it is there.

    Returns:
        The owner of the file, else of the state folder; None for anybody but root, and where
        neither is there.
    """
    if os.geteuid() != 0:
        return None
    for each in (path, state_dir):
        if each is not None and each.exists():
            found = each.stat()
            return found.st_uid, found.st_gid
    return None
