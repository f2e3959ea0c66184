"""Reads what the proxy wants to know, from a file that is closed to others."""

from pathlib import Path

from alectio_agent.core.closed_file import read_closed
from alectio_agent.core.setting_error import SettingError

MAX_BYTES = 4096


def read_credentials(path: Path) -> tuple[str, str]:
    """User and password for the proxy.

    Args:
        path: Holds one line, `user:password`, and is closed to others.

    Returns:
        Both, as written.

    Raises:
        SettingError: It cannot be read, is open to others, or holds something else; the message
            never shows what it holds.
    """
    content = read_closed(path, MAX_BYTES)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise SettingError(
            f"{path} is no text in UTF-8; expected one line, user:password"
        ) from error
    lines = [line for line in lines if line.strip()]
    if len(lines) != 1 or len(content) > MAX_BYTES:
        found = "is empty" if not lines else "holds more than one line"
        raise SettingError(f"{path} {found}; expected one line, user:password")
    user, colon, password = lines[0].partition(":")
    if not user.strip() or not colon or not password or not lines[0].isprintable():
        raise SettingError(f"{path} holds something else; expected one line, user:password")
    return user, password
