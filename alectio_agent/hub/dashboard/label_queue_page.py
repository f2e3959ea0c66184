"""`/experiments/NAME/labels`: what one experiment asks people, and where their labels come in."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import OPERATOR
from alectio_agent.hub.api.label_taking import take_labels
from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.wire.label_files import LabelFile, Wrong, read_labels, without_labels
from alectio_agent.wire.label_words import what_came, what_now
from alectio_agent.wire.labels import LabelImport, LabelQueue

LARGEST_PASTED = 4 * 2**20
MOST_SHOWN = 200


@dataclass(frozen=True)
class Outcome:
    """What became of labels that were sent.

    Attributes:
        came: What was new; empty when nothing was taken.
        now: What happens now, in sentences.
        wrong: What is wrong with them; None when they were taken.
    """

    came: str = ""
    now: list[str] = field(default_factory=list)
    wrong: Wrong | None = None


class LabelQueuePage:
    """The labels of one experiment: asked, given out as a file, and taken back."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads and changes."""
        self._desk = desk
        self._platform = desk.services.platform
        self._largest_file = desk.services.limits.label_bytes

    def pages(self) -> list[Page]:
        """What there is to serve."""
        path = "/experiments/{name}/labels"
        return [
            Page("GET", path, self.show),
            Page("POST", path, self.take, OPERATOR, LARGEST_PASTED, self._largest_file),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show what is asked."""

        async def make() -> str:
            return await self._draw(visit, None)

        return await self._desk.show(visit, ("label queue", visit.name), make)

    async def take(self, visit: Visit) -> Response:
        """Take labels, all or none, as `experiment labels import` does."""
        pasted = visit.form.get("labels", "")
        content = pasted.encode() if visit.file is None else visit.file
        outcome = await self._bring(visit.name, content)
        html = await self._draw(visit, outcome, pasted if outcome.wrong else "")
        return self._desk.page(visit, html, 422 if outcome.wrong else 200)

    async def _bring(self, name: str, content: bytes) -> Outcome:
        found = await in_thread(partial(read_labels, content))
        # When the file is wrong already, it is only looked at further: all mistakes at once.
        said = LabelImport(rows=found.rows, only_check=bool(found.problems))
        try:
            done = await take_labels(self._desk.services, name, said)
        except ProblemError as error:
            return Outcome(wrong=_told(found, error))
        if found.problems:
            return Outcome(wrong=found.wrong([], 0))
        return Outcome(what_came(done), what_now(name, done, found.blank))

    async def _draw(self, visit: Visit, outcome: Outcome | None, pasted: str = "") -> str:
        queue = await self._desk.read(
            partial(self._platform.label_queue, name=visit.name, is_whole=False)
        )
        asked = without_labels(queue).samples
        told: dict[str, Any] = {
            "title": f"Labels of {visit.name}",
            "here": "labels",
            "topic": visit.name,
            "queue": queue,
            "shown": asked[:MOST_SHOWN],
            "asked_count": len(asked),
            "example": _example(queue),
            "outcome": outcome,
            "pasted": pasted,
            "largest_file": self._largest_file,
        }
        draw = partial(render, "label_queue.html", visit.session, is_part=visit.is_fragment)
        return await in_thread(partial(draw, **told))


def _told(found: LabelFile, error: ProblemError) -> Wrong:
    """What the platform finds wrong with the rows; any other refusal goes on."""
    rows = error.extra.get("rows")
    if error.code != "E-EXP-12" or not isinstance(rows, list):
        raise error
    return found.wrong(rows, error.extra.get("wrong_rows"))


def _example(queue: LabelQueue) -> str:
    """How a file may look."""
    index = queue.samples[0].index if queue.samples else 17
    label = queue.classes[0] if isinstance(queue.classes, list) else "3"
    return f"index,label\n{index},{label}"
