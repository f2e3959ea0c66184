"""The report of an experiment: its body for the dashboard, and the page that stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from alectio_agent.report.balance import find_balance
from alectio_agent.report.calibration import find_calibration
from alectio_agent.report.choice import find_choice
from alectio_agent.report.class_scores import find_class_scores
from alectio_agent.report.confusion import find_confusion
from alectio_agent.report.curves import find_curves
from alectio_agent.report.head import find_head, main_saving, saved_words
from alectio_agent.report.loop_steps import MOST_ROWS, MOST_STEPS, find_steps, restless_names
from alectio_agent.report.loop_table import find_loop_table
from alectio_agent.report.notices import MOST_NOTICES, find_notices
from alectio_agent.report.pages import fill, whole_page
from alectio_agent.report.reading import Document, is_judged, member
from alectio_agent.report.savings import find_savings
from alectio_agent.report.times import find_saved_time, find_times
from alectio_agent.report.words import name

PARTS = (
    ("curves", "Learning curve"),
    ("savings", "Label savings"),
    ("balance", "Class balance"),
    ("confusion", "Confusion"),
    ("calibration", "Calibration"),
    ("choice", "Last selection"),
    ("times", "Times"),
    ("notices", "Warnings"),
    ("steps", "Changes"),
    ("loops", "All loops"),
)
"""Parts of the report by their place in the page."""


@dataclass(frozen=True)
class Told:
    """What a report tells of.

    Attributes:
        document: The experiment.
        control: Its control; None when it has none, so that no saving can be known.
        siblings: The same experiment with other seeds, for bands.
        source: Where it comes from; told when several have its name.
    """

    document: Document
    control: Document | None = None
    siblings: Sequence[Document] = ()
    source: str = ""


def render_body(told: Told, *, has_title: bool = True) -> str:
    """The report without the page around it; figures are drawn by `drawFigures` of `report.js`.

    Args:
        told: What it tells of.
        has_title: With its name and state; a page around it may have said them already.

    Returns:
        HTML, with every name in it escaped.
    """
    return fill("body.html", has_title=has_title, **_parts(told))


def render_page(told: Told) -> str:
    """The whole report: one file that needs no network.

    Args:
        told: What it tells of.

    Returns:
        HTML.
    """
    return whole_page(_title(told.document), PARTS, Markup(render_body(told)))  # noqa: S704 - made of escaped parts


def _title(document: Document) -> str:
    return str(document.get("name") or "experiment")


def _parts(told: Told) -> dict[str, Any]:
    """Everything that the templates show."""
    document, control = told.document, told.control
    savings = find_savings(document, control)
    times = find_times(document)
    saving = main_saving(document, savings)
    saved = find_saved_time(document, control, saving) if control and saving else None
    return {
        "title": name(_title(document), 80),
        "task": str(member(document, "settings", "task") or "classification"),
        "has_control": control is not None,
        "is_labelled_by_people": member(document, "settings", "labels", "kind") == "csv",
        "siblings": len(told.siblings),
        "head": find_head(document, savings, times, saved),
        "curves": find_curves(document, control, told.siblings),
        "savings": savings,
        "balance": find_balance(document),
        "confusion": find_confusion(document),
        "class_scores": find_class_scores(document),
        "calibration": find_calibration(document),
        "is_judged": is_judged(document),
        "choice": find_choice(document),
        "times": times,
        "saved": saved,
        "saved_words": saved_words(saved) if saved else None,
        "notices": find_notices(document),
        "most_notices": MOST_NOTICES,
        "steps": find_steps(document),
        "restless": restless_names(document),
        "most_restless": MOST_ROWS,
        "most_steps": MOST_STEPS,
        "loop_table": find_loop_table(document, control),
    }
