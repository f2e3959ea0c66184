"""Random identifiers. All are text, made in code, so that no store has to make them."""

import secrets

TOKEN_PREFIX = "alt_"  # noqa: S105 - a mark that secret scanners can look for, no secret


def new_id() -> str:
    """A random identifier: 128 bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_token() -> str:
    """A bearer token of 256 random bits, with a prefix that secret scanners can look for."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)
