"""Reads the agent's token from its file, and refuses a file that others could have read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.config.settings import AgentFile, default_token_file
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import printable

MAX_BYTES = 8 * 2**10
CLOSED = 0o077
"""Rights that nobody may have."""
CLOSED_CREDENTIAL = 0o037
"""The same for a credential: root's file, which systemd lets the service's user read by an access
list, and the mode shows the mask of that list where the group's right to read stands."""


def read_token(settings: AgentFile, environment: Mapping[str, str]) -> str:
    """The token for the platform. Reads the file anew, since tokens are replaced while we run.

    Args:
        settings: Name the file.
        environment: The process's variables: a service's credential is looked for again.

    Returns:
        The token.

    Raises:
        ConfigError: There is no file, others may read it, or it holds something else.
    """
    path = settings.platform.token_file or default_token_file(environment)
    if path is None:
        raise ConfigError(
            "E-AUTH-01  no token: platform.token_file is not set",
            hint="Write the token into a file of mode 0600 and name it there.",
        )
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    return read_token_file(path, is_credential=path.parent == Path(credentials or os.devnull))


def read_token_file(path: Path, *, is_credential: bool = False) -> str:
    """The token in one file.

    Args:
        path: A regular file of ours or root's, closed to others, with one line of at most 8 KiB.
        is_credential: systemd put it there for this service alone, in a folder that is closed.

    Returns:
        The token.

    Raises:
        ConfigError: Any of this does not hold; the message never shows what the file holds.
    """
    shown = printable(path)
    try:
        return parse_token(
            shown, _read(path, shown, CLOSED_CREDENTIAL if is_credential else CLOSED)
        )
    except OSError as error:
        raise ConfigError(
            f"E-AUTH-01  {shown} cannot be read ({error.strerror}); expected the token",
            hint="Write the token into that file, mode 0600, owned by whoever runs this. For an "
            "agent: alectio-agent enroll URL",
        ) from error


def _read(path: Path, shown: str, closed_to: int) -> bytes:
    # Not waiting for a writer: a named pipe would hold the agent up for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # Of the open file, not of the path: nobody can exchange it between check and reading.
        _check(shown, os.fstat(descriptor), closed_to)
        return os.read(descriptor, MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _check(shown: str, status: os.stat_result, closed_to: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"E-AUTH-02  {shown} is no regular file; expected a file of mode 0600")
    if status.st_uid not in (0, os.geteuid()):
        raise ConfigError(
            f"E-AUTH-02  {shown} belongs to user {status.st_uid}; expected us "
            f"({os.geteuid()}) or root",
            hint=f"chown {os.geteuid()} {shown}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & closed_to:
        raise ConfigError(
            f"E-AUTH-02  {shown} is {_open_to(mode)} by others ({mode:04o}). chmod 600 it; if "
            "others had access, revoke it:",
            hint="alectio-agent hub token revoke NAME, on the hub, and make another",
        )


def _open_to(mode: int) -> str:
    return "readable" if mode & 0o044 else "writable" if mode & 0o022 else "executable"


def parse_token(shown: str, content: bytes) -> str:
    """The token that stands alone in a text.

    Args:
        shown: Where the text comes from, for the message.
        content: At most 8 KiB.

    Returns:
        The token.

    Raises:
        ConfigError: It is something else; the message never shows what.
    """
    if len(content) > MAX_BYTES:
        raise ConfigError(f"E-AUTH-03  {shown} is larger than 8 KiB; expected one line, the token")
    try:
        lines = content.decode("ascii").strip().splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"E-AUTH-03  {shown} holds bytes that no token has; expected one line of ASCII text"
        ) from error
    if len(lines) != 1 or not lines[0].isprintable() or " " in lines[0]:
        found = "is empty" if not lines else "holds more than a token"
        raise ConfigError(f"E-AUTH-03  {shown} {found}; expected one line, the token alone")
    return lines[0]
