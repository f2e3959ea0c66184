"""The wire's record of what a train run was made of: in bounds, and without secrets."""

import hashlib
import hmac
import logging
import re
from typing import Any

from pydantic import ValidationError

from alectio_agent.agent.hooks.provenance import Provenance as Found
from alectio_agent.wire.provenance import (
    LONGEST_NAME,
    MOST_ARGS_BYTES,
    MOST_FILES,
    Provenance,
)
from alectio_agent.wire.strict_json import canonical

log = logging.getLogger(__name__)

HIDDEN = "(hidden)"
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


def to_record(found: Found, digest_key: bytes | None = None) -> Provenance | None:
    """Everything that is known, as the wire has it.

    Args:
        found: By the hook's slot.
        digest_key: Keeps the arguments from being guessed by their digest; None for readers who
            see them anyway.

    Returns:
        None when the process said something that the wire cannot hold: a train run is worth more
        than what is told about it.
    """
    code = found.code
    args = _without_secrets(found.args)
    text = canonical(args)
    try:
        return Provenance.model_validate(
            {
                "code": {
                    "digest": code.digest,
                    "files": _files(code.files),
                    "is_whole": code.is_whole,
                    "git_commit": code.git and code.git.commit,
                    "is_dirty": code.git and code.git.is_dirty,
                },
                "interpreter": {**found.interpreter, "path": str(found.python)[-LONGEST_NAME:]},
                "args": args if len(text) <= MOST_ARGS_BYTES else None,
                "args_digest": _digest(text.encode(), digest_key),
            }
        )
    except ValidationError as error:
        log.debug("what the train run was made of is not told: %s", error)
        return None


def _digest(content: bytes, key: bytes | None) -> str:
    if key is None:
        return hashlib.sha256(content).hexdigest()
    return hmac.new(key, content, "sha256").hexdigest()


def _files(files: dict[str, str]) -> dict[str, str]:
    named = list(files.items())[:MOST_FILES]
    return {name[-LONGEST_NAME:]: digest[:12] for name, digest in named}


def _without_secrets(value: Any) -> Any:
    """Values whose key says that they are secret must not lie in results files."""
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: HIDDEN if _is_secret(key, item) else _without_secrets(item)
        for key, item in value.items()
    }


def _is_secret(key: str, value: Any) -> bool:
    words = [word.lower() for word in _WORD.findall(key)]
    if not words:
        return False
    if words[-1] == "tokens" and isinstance(value, int | float):
        return False  # `max_tokens` is a number of them
    is_key = words[-1] in ("key", "keys") and len(words) > 1 and words[-2] in _SECRET_KEYS
    return is_key or words[-1] in _SECRET_WORDS
