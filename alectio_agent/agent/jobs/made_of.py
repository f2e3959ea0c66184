"""The wire's record of what a train run was made of: in bounds, and without secrets."""

import hashlib
import hmac
import logging

from pydantic import ValidationError

from alectio_agent.agent.hooks.provenance import Provenance as Found
from alectio_agent.core.secret_keys import hide_secrets
from alectio_agent.wire.provenance import (
    LONGEST_NAME,
    MOST_ARGS_BYTES,
    MOST_FILES,
    Provenance,
)
from alectio_agent.wire.strict_json import canonical

log = logging.getLogger(__name__)

HIDDEN = "(hidden)"


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
    args = hide_secrets(found.args, HIDDEN)
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
