"""Reads a token from whoever has it: a person at a terminal, or a pipe."""

import getpass
import sys

from alectio_agent.config.token_file import MAX_BYTES, parse_token
from alectio_agent.core.errors import ConfigError


def typed_token() -> str:
    """The token, typed without being shown, or all of standard input when that is no terminal.

    Returns:
        The token; its form is right.

    Raises:
        ConfigError: It is something else; the message never shows what.
    """
    if not sys.stdin.isatty():
        return parse_token("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
    typed = getpass.getpass("Token (it is not shown): ", stream=sys.stderr)
    try:
        return parse_token("what was typed", typed.encode("ascii"))
    except UnicodeEncodeError:
        raise ConfigError(
            "E-AUTH-03  what was typed holds characters that no token has"
        ) from None  # the error below it would show them with --debug
