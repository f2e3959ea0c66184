"""Did you mean ...?"""

import difflib
import os
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

from alectio_agent.config.kinds import Kind

# A letter too many, too few or exchanged in a short word; `hooks` and `loops` are at 0.6.
_SIMILAR = 0.65
MOST_FILES = 1000
"""A folder with more entries holds data."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant.

    Args:
        word: As found.
        known: What would be right.

    Returns:
        The word that differs in case, `-` and `_` only, else the most similar one; None when
        nothing is similar.
    """
    by_fold = {fold(candidate): candidate for candidate in known}
    folded = fold(word)
    if folded in by_fold:
        return by_fold[folded]
    close = difflib.get_close_matches(folded, list(by_fold), n=1, cutoff=_SIMILAR)
    return by_fold[close[0]] if close else None


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


def fold(word: str) -> str:
    """A word without what people and environment variables write differently.

    Args:
        word: A key or name.

    Returns:
        Lower case, with `_` for `-` and `.`.
    """
    return word.lower().replace("-", "_").replace(".", "_")


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
