"""Words that people probably meant."""

import difflib
from collections.abc import Iterable

# A letter too many, too few or exchanged in a short word; `hooks` and `loops` are at 0.6.
_SIMILAR = 0.65


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


def fold(word: str) -> str:
    """A word without what people and environment variables write differently.

    Args:
        word: A key or name.

    Returns:
        Lower case, with `_` for `-` and `.`.
    """
    return word.lower().replace("-", "_").replace(".", "_")
