"""Puts names and numbers into pages: shortened, isolated and escaped, whatever they hold."""

from typing import Any

from markupsafe import Markup

from alectio_agent.core.log import printable
from alectio_agent.core.units import format_duration
from alectio_agent.report.reading import finite

NAME_LETTERS = 40
TEXT_LETTERS = 400
WHOLE_LETTERS = 10_000
FIGURE_LETTERS = 18
"""More would leave no room for the figure on a narrow page."""
UNKNOWN = Markup('<span class="unknown">not known</span>')
MINUS = "\N{MINUS SIGN}"

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;"}


def name(text: Any, letters: int = NAME_LETTERS) -> Markup:
    """A name that somebody gave to something.

    Args:
        text: Anything; its `str` is taken.
        letters: At most so many are shown; the whole name is in the title then.

    Returns:
        HTML in which the name changes neither markup nor the direction of what follows.
    """
    shown = printable(text, letters)
    whole = printable(text, WHOLE_LETTERS)
    if shown == whole:
        return Markup("<bdi>{}</bdi>").format(shown)
    return Markup('<bdi title="{}">{}</bdi>').format(whole, shown)


def long_text(text: Any) -> Markup:
    """A message or warning, which may have lines.

    Args:
        text: Anything; its `str` is taken.

    Returns:
        HTML.
    """
    return name(" ".join(str(text).split()), TEXT_LETTERS)


def drawn(text: Any, letters: int = NAME_LETTERS) -> str:
    """A name inside a figure: plotly reads tags, links and `%{...}` in every text.

    Args:
        text: Anything; its `str` is taken.
        letters: At most so many are shown.

    Returns:
        The name, in which plotly finds nothing to act on.
    """
    return "".join(_MARKUP.get(letter, letter) for letter in printable(text, letters))


def number(value: Any, digits: int = 3) -> Markup:
    """A number, with all its digits behind those that are shown.

    Args:
        value: What is not finite is not known.
        digits: After the point.

    Returns:
        HTML.
    """
    found = finite(value)
    if found is None:
        return UNKNOWN
    return Markup('<data value="{}">{}</data>').format(repr(value), f"{found:.{digits}f}")


def count(value: Any) -> Markup:
    """A number of things.

    Args:
        value: What is not finite is not known.

    Returns:
        HTML such as `1,200`.
    """
    found = finite(value)
    if found is None:
        return UNKNOWN
    return Markup('<data value="{}">{}</data>').format(int(found), f"{int(found):,}")


def share(value: Any, of: Any) -> Markup:
    """A part of a whole, in percent.

    Args:
        value: The part.
        of: The whole.

    Returns:
        HTML such as `12.5 %`; not known without a whole.
    """
    part, whole = finite(value), finite(of)
    if part is None or not whole:
        return UNKNOWN
    return Markup('<data value="{}">{}</data>').format(
        round(part / whole, 6), percent(part / whole)
    )


def percent(fraction: float) -> str:
    """A fraction in words.

    Args:
        fraction: Such as 0.125.

    Returns:
        Such as `12.5 %`.
    """
    return f"{100 * fraction:.1f} %"


def difference(value: float | None, digits: int = 3) -> Markup:
    """How much a number grew.

    Args:
        value: None: nothing to compare with.
        digits: After the point.

    Returns:
        HTML such as `+0.012`; a dash for nothing.
    """
    if value is None:
        return Markup('<span class="unknown">\N{EN DASH}</span>')
    if round(value, digits) == 0:
        return Markup('<span class="same">0</span>')
    sign, kind = ("+", "up") if value > 0 else (MINUS, "down")
    return Markup('<span class="{}">{}{}</span>').format(kind, sign, f"{abs(value):.{digits}f}")


def duration(seconds: Any) -> Markup:
    """How long something took.

    Args:
        seconds: What is not finite is not known.

    Returns:
        HTML such as `1 min 55 s`.
    """
    found = finite(seconds)
    if found is None or found < 0:
        return UNKNOWN
    return Markup('<data value="{}">{}</data>').format(round(found, 3), format_duration(found))


def stamp(text: Any) -> Markup:
    """A time stamp, to the minute.

    Args:
        text: As ISO 8601.

    Returns:
        HTML.
    """
    if not isinstance(text, str) or not text:
        return UNKNOWN
    shown = printable(text[:16].replace("T", " ") + (" UTC" if text.endswith("Z") else ""))
    return Markup('<time datetime="{}">{}</time>').format(printable(text, 40), shown)
