"""Templates, and the words and numbers in them."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from alectio_agent.core.log import printable
from alectio_agent.core.units import format_duration, format_size
from alectio_agent.hub.access.sessions import Session
from alectio_agent.hub.dashboard.sparkline import sparkline_box, sparkline_points
from alectio_agent.hub.dashboard.statics import plotly_style_ids, static_url

FORM_KEY_PLACE = secrets.token_hex(16)
"""Where the key of the visitor's forms goes: pages are made once for all visitors of a scope."""
LONGEST_TEXT = 4000


@dataclass(frozen=True)
class State:
    """How a state is shown: never by its colour alone."""

    mark: str
    word: str
    kind: str


STATES = {
    "running": State("●", "running", "good"),
    "waiting": State("!", "waits for a person", "bad"),
    "paused": State("‖", "paused", "calm"),
    "finished": State("✓", "finished", "done"),
    "cancelled": State("✕", "cancelled", "calm"),
    "available": State("○", "available", "calm"),
    "claimed": State("◔", "claimed", "calm"),
    "selecting": State("…", "selecting", "calm"),
    "labelling": State("✎", "waits for labels", "bad"),
    "done": State("✓", "done", "done"),
    "started": State("●", "running", "good"),
    "failed": State("!", "failed", "bad"),
    "lost": State("?", "lost", "bad"),
    "returned": State("↩", "returned", "calm"),
    "superseded": State("✕", "superseded", "calm"),
    "recalled": State("↩", "taken back", "calm"),
}


def render(template: str, session: Session | None, *, is_part: bool = False, **told: Any) -> str:
    """Make a page, or what of it an open page replaces.

    Args:
        template: Such as `experiments.html`.
        session: Who looks; None for somebody unknown.
        is_part: Without the frame around it.
        told: What the template shows; all of it is escaped.

    Returns:
        HTML, with `FORM_KEY_PLACE` in its forms.
    """
    return (
        _templates()
        .get_template(template)
        .render(
            frame="part.html" if is_part else "layout.html",
            visitor=None if session is None else session.token.name,
            scope=None if session is None else session.token.scope,
            may_act=session is not None and session.is_operator,
            form_key=FORM_KEY_PLACE,
            **told,
        )
    )


def safe(html: str) -> Markup:
    """HTML that another room made of escaped parts.

    Args:
        html: As it is.
    """
    return Markup(html)  # noqa: S704 - reports escape every name themselves, and test it


def fingerprint(text: str) -> str:
    """A short mark of a text, to see whether it changed.

    Args:
        text: Any.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("alectio_agent.hub.dashboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "static": static_url,
        "plotly_style_ids": plotly_style_ids,
        "state_of": state_of,
        "line": sparkline_points,
        "line_box": sparkline_box(),
    }
    made.filters |= {
        "moment": moment,
        "duration": format_duration,
        "about": about,
        "size": format_size,
        "number": number,
        "metric": metric,
        "plain": plain,
    }
    return made


def state_of(state: str) -> State:
    """How a state is shown.

    Args:
        state: Of an experiment, a loop or an attempt.
    """
    return STATES.get(state, State("·", state, "calm"))


def moment(text: str) -> str:
    """A moment for people.

    Args:
        text: As tables and wire have it.

    Returns:
        Such as `2026-01-31 09:05 UTC`; a page with JavaScript shows it in the visitor's own time.
    """
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return plain(text, 40)


def number(value: float) -> str:
    """A count with its thousands apart.

    Args:
        value: Whole or not.
    """
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def about(seconds: float) -> str:
    """A time left, which nobody knows to the hundredth.

    Args:
        seconds: One or more.
    """
    return f"{seconds:.0f} s" if seconds < 60 else format_duration(seconds)


def metric(value: float) -> str:
    """A metric with three digits.

    Args:
        value: Any.
    """
    return f"{value:.3f}"


def plain(text: object, limit: int = LONGEST_TEXT) -> str:
    """Foreign text without control characters; lines stay.

    Args:
        text: Anything.
        limit: Longest line.
    """
    return "\n".join(printable(part, limit) for part in str(text).split("\n"))
