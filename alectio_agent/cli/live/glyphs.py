"""The characters that the view is drawn with: those of Unicode, or ASCII where it must be."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """One set.

    Attributes:
        full: Of a bar, what is done.
        guessed: The same, when only earlier loops tell.
        empty: Of a bar, what is not done.
        ellipsis: Ends what was cut.
        has_braille: Curves are drawn in braille dots; else with the two marks.
        mark: A point of the curve.
        control_mark: A point of the control's.
    """

    full: str
    guessed: str
    empty: str
    rule: str
    ellipsis: str
    has_braille: bool
    mark: str = "*"
    control_mark: str = "o"


UNICODE = Glyphs("█", "▒", "░", "─", "…", has_braille=True)
ASCII = Glyphs("#", "=", ".", "-", "...", has_braille=False)


def glyphs_for(environment: Mapping[str, str]) -> Glyphs:
    """The set that a terminal can show.

    Args:
        environment: Its locale counts, not what Python writes: Python writes UTF-8 in any locale.
    """
    if environment.get("TERM") == "linux":  # the console's font has no braille
        return ASCII
    named = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, named), "")
    return UNICODE if "utf8" in locale.lower().replace("-", "") else ASCII
