"""Names for folders, pipelines and experiments out of whatever somebody wrote."""

import re
import unicodedata

LONGEST = 64


def slug(text: object, fallback: str) -> str:
    """Make a name that may stand in a path and in a URL.

    Args:
        text: Such as `Topic classification (v2)`.
        fallback: The name when nothing of the text is left.

    Returns:
        Lower case letters, digits, `.`, `_` and `-`, at most 64; such as
        `topic-classification-v2`.
    """
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:LONGEST].rstrip("-._")
    return name or fallback
