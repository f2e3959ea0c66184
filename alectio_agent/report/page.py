"""The report of an experiment: its body for the dashboard, and the page that stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from alectio_agent.report.assets import asset, plotly_script

Document = dict[str, Any]
"""All that is kept of an experiment, as in its `experiment.json`."""


@dataclass(frozen=True)
class Told:
    """What a report tells of.

    Attributes:
        document: The experiment.
        control: Its control; None when it has none, so that no saving can be known.
        siblings: The same experiment with other seeds, for bands.
    """

    document: Document
    control: Document | None = None
    siblings: Sequence[Document] = ()


def render_body(told: Told) -> str:
    """The report without the page around it; figures are drawn by `drawFigures` of `report.js`.

    Args:
        told: What it tells of.

    Returns:
        HTML, with every name in it escaped.
    """
    return _pages().get_template("body.html").render(document=told.document, told=told)


def render_page(told: Told) -> str:
    """The whole report: one file that needs no network.

    Args:
        told: What it tells of.

    Returns:
        HTML.
    """
    return (
        _pages()
        .get_template("page.html")
        .render(
            title=told.document["name"],
            body=Markup(render_body(told)),  # noqa: S704 - made of escaped parts
            css=Markup(asset("report.css")),  # noqa: S704 - a file of this room
            plotly=Markup(plotly_script()),  # noqa: S704 - its own script
            script=Markup(asset("report.js")),  # noqa: S704 - a file of this room
        )
    )


@cache
def _pages() -> Environment:
    return Environment(
        loader=PackageLoader("alectio_agent.report", "files"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
