"""Did you mean ...?"""

import os
from collections.abc import Collection
from itertools import islice
from pathlib import Path

from alectio_agent.config.kinds import Kind
from alectio_agent.core.nearest import fold, nearest

MOST_FILES = 1000
"""A folder with more entries holds data."""


def nearest_file(path: Path, but: Collection[Path] = ()) -> str | None:
    """The name of the file that was probably meant, of those in the same folder.

    Args:
        path: Of the file that is not there.
        but: Files that cannot be meant.

    Returns:
        A name; None when nothing with the same ending is similar, or the folder cannot be read.
    """
    try:
        with os.scandir(path.parent) as listed:
            names = [entry.name for entry in islice(listed, MOST_FILES)]
    except OSError:
        return None
    known = [name for name in names if Path(name).suffix == path.suffix]
    return nearest(path.name, [name for name in known if path.parent / name not in but])


def unknown_key(key: str, mapping: Kind, root: Kind) -> str:
    """What to say about a key that does not exist.

    Args:
        key: As found.
        mapping: What is expected where it stands.
        root: What is expected of the whole file.

    Returns:
        `unknown key`, and the best advice there is; for a key that holds a secret, where to
        put that.
    """
    refused: dict[str, str] = getattr(mapping.model, "refused_keys", {})
    if fold(key) in refused:
        return f"unknown key; {refused[fold(key)]}"
    known = list(mapping.fields)
    elsewhere = _places_of(fold(key), root, "")
    meant = nearest(key, known)
    if elsewhere and fold(key) not in known:
        return f"unknown key here. Did you mean `{elsewhere[0]}`?"
    if meant:
        return f"unknown key. Did you mean `{meant}`?"
    if not known:
        return "unknown key; expected no keys below this one"
    if len(known) == 1:
        return f"unknown key; the only one here is `{known[0]}`"
    return f"unknown key; expected one of {', '.join(known)}"


def _places_of(key: str, kind: Kind, prefix: str) -> list[str]:
    """Dotted places, anywhere in the file, that know this key."""
    entries = kind.container(dict)
    children = dict(kind.fields)
    if entries is not None:
        children["NAME"] = kind.child("") or Kind(None)
    places = []
    for name, child in children.items():
        dotted = f"{prefix}{name}"
        places += [dotted] if name == key else []
        places += _places_of(key, child, f"{dotted}.")
    return places
