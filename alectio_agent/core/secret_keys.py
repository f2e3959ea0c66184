"""Which values are secret, by the key they stand under."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""Of `db_password`, `api-key`, `authToken`; digits and marks divide as well."""
_SECRET_WORDS = frozenset(
    {
        "auth", "authorization", "bearer", "credential", "credentials", "pass", "passcode",
        "passphrase", "passwd", "password", "passwords", "pwd", "secret", "secrets", "token",
        "tokens", "apikey", "accesskey", "privatekey", "secretkey",
    }
)  # fmt: skip
_SECRET_KEYS = frozenset(
    {"access", "account", "api", "auth", "encryption", "master", "private", "secret", "signing"}
)
"""What a key may be of that is no key of a dictionary."""


def hide_secrets(value: Any, mask: str) -> Any:
    """A copy in which no secret stands.

    Args:
        value: Plain: mappings, lists and scalars.
        mask: Stands for what is hidden.

    Returns:
        The same, with the values of secret keys replaced, at any depth.
    """
    if isinstance(value, list):
        return [hide_secrets(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: mask if is_secret(str(key), item) else hide_secrets(item, mask)
        for key, item in value.items()
    }


def hide_secret_words(words: Sequence[str], mask: str) -> list[str]:
    """A command line in which no secret stands: `--token x`, `--password=x`.

    Args:
        words: Of the command line.
        mask: Stands for what is hidden.
    """
    return list(_hidden_words(words, mask))


def is_secret(key: str, value: Any) -> bool:
    """Whether a value is secret.

    Args:
        key: Such as `db_password`, `api-key` or `authToken`.
        value: A number of `tokens` is none.
    """
    words = [word.lower() for word in _WORD.findall(key)]
    if not words:
        return False
    if words[-1] == "tokens" and isinstance(value, int | float):
        return False  # `max_tokens` is a number of them
    is_key = words[-1] in ("key", "keys") and len(words) > 1 and words[-2] in _SECRET_KEYS
    return is_key or words[-1] in _SECRET_WORDS


def _hidden_words(words: Sequence[str], mask: str) -> Iterator[str]:
    is_next = False
    for word in words:
        flag, equals, value = word.partition("=")
        names_secret = word.startswith("-") and is_secret(flag, value)
        if is_next and not word.startswith("-"):
            yield mask
        elif names_secret and equals:
            yield f"{flag}={mask}"
        else:
            yield word
        is_next = names_secret and not equals
