"""Which installation a state folder belongs to."""

import json
from pathlib import Path

UNKNOWN = "unknown"


def installation_id(folder: Path) -> str:
    """The id that the platform knows an agent by.

    Args:
        folder: Its state folder.

    Returns:
        `unknown` when its identity cannot be read: for people it matters, for results it does not.
    """
    try:
        return str(json.loads((folder / "identity.json").read_bytes())["installation_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return UNKNOWN
