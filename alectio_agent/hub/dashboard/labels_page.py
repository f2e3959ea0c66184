"""`/labels`: what people are asked to label, and the files for it."""

from functools import partial

from starlette.responses import Response

from alectio_agent.hub.dashboard.answers import download
from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.wire.label_files import without_labels, write_labels
from alectio_agent.wire.labels import LabelQueue


class LabelsPage:
    """All experiments that ask people for labels."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads."""
        self._desk = desk
        self._platform = desk.services.platform

    def pages(self) -> list[Page]:
        """What there is to serve."""
        return [Page("GET", "/labels", self.show), Page("GET", "/labels/{name}.csv", self.export)]

    async def show(self, visit: Visit) -> Response:
        """Show which experiments wait for labels, and for how many."""

        async def make() -> str:
            found = await self._desk.read(self._platform.asking)
            draw = partial(
                render, "labels.html", visit.session, is_part=visit.is_fragment, title="Labels",
                here="labels", topic="", asking=found,
            )  # fmt: skip
            return await in_thread(draw)

        return await self._desk.show(visit, ("labels",), make)

    async def export(self, visit: Visit) -> Response:
        """Give the file that `experiment labels export` writes; `?all=1` as its `--all`."""
        is_whole = visit.request.query_params.get("all", "") not in ("", "0")
        queue = await self._desk.read(
            partial(self._platform.label_queue, name=visit.name, is_whole=is_whole)
        )
        text = await in_thread(partial(_written, queue, is_whole=is_whole))
        return download(text, f"{queue.name}.csv", "text/csv")


def _written(queue: LabelQueue, *, is_whole: bool) -> str:
    shown = queue if is_whole else without_labels(queue)
    return write_labels(shown.samples, has_classes=queue.classes is not None)
