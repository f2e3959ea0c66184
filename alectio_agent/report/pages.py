"""Fills templates, and makes pages that stand alone."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from alectio_agent.core.log import printable
from alectio_agent.report import words
from alectio_agent.report.assets import asset, plotly_script
from alectio_agent.report.reading import metric_title

GENERATOR = '<meta name="generator" content="alectio-agent">'
"""By which a file is known to be one of these pages."""


def fill(template: str, **parts: Any) -> str:
    """Fill a template.

    Args:
        template: Its file.
        parts: What it shows; text is escaped.

    Returns:
        HTML.
    """
    return _pages().get_template(template).render(**parts)


def whole_page(title: str, parts: Sequence[tuple[str, str]], body: Markup) -> str:
    """A page in one file, which can ask for nothing: its policy forbids it.

    Args:
        title: Of the window.
        parts: Where each part of the body is, and what it is called.
        body: HTML.

    Returns:
        HTML.
    """
    css, plotly, script = asset("report.css"), plotly_script(), asset("report.js")
    return fill(
        "page.html",
        title=printable(title, 80),
        parts=parts,
        policy=_policy(),
        body=body,
        css=Markup(css),  # noqa: S704 - a file of this room
        plotly=Markup(plotly),  # noqa: S704 - its own script
        script=Markup(script),  # noqa: S704 - a file of this room
    )


@cache
def _policy() -> Markup:
    """No network, and no script but the two that the page is made with."""
    scripts = " ".join(_digest(text) for text in (plotly_script(), asset("report.js")))
    told = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return Markup(told)  # noqa: S704 - holds nothing of anybody else


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("alectio_agent.report", "files"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "name": words.name,
        "text": words.long_text,
        "num": words.number,
        "count": words.count,
        "share": words.share,
        "duration": words.duration,
        "metric": metric_title,
    }
    return pages
