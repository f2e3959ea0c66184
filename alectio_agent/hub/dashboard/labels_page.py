"""`/labels`: what people are asked to label."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.wire.operation import ExperimentView, LoopView


@dataclass(frozen=True)
class Asked:
    """An experiment whose labels people give.

    Attributes:
        loop: The newest one that they were asked about; None before there is one.
        returned: How many of `asked` samples came back.
        since: When they were asked.
    """

    name: str
    state: str
    waits_for: str
    loop: int | None
    returned: int
    asked: int
    since: str | None

    @property
    def is_open(self) -> bool:
        """Whether anything is still to come."""
        return self.returned < self.asked


class LabelsPage:
    """The labelling queue."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads."""
        self._desk = desk

    def pages(self) -> list[Page]:
        """What there is to serve."""
        return [Page("GET", "/labels", self.show)]

    async def show(self, visit: Visit) -> Response:
        """Show which experiments wait for labels, and for how many."""

        async def make() -> str:
            found = await self._desk.read(self._look)
            draw = partial(
                render, "labels.html", visit.session, is_part=visit.is_fragment, title="Labels",
                here="labels", topic="", asked=sorted(found, key=lambda entry: not entry.is_open),
            )  # fmt: skip
            return await in_thread(draw)

        return await self._desk.show(visit, ("labels",), make)

    def _look(self, tx: Connection) -> list[Asked]:
        platform = self._desk.services.platform
        views = platform.list(tx).experiments
        named = [view.name for view in views if _are_asked(view)]
        return [_asked(platform.show(tx, name)) for name in named]


def _are_asked(view: ExperimentView) -> bool:
    kind: str = view.settings.labels.kind
    return kind != "known"


def _asked(view: ExperimentView) -> Asked:
    loops = [loop for loop in view.loops if _told(loop, "asked") is not None]
    newest = loops[-1] if loops else None
    return Asked(
        name=view.name,
        state=view.state,
        waits_for=view.waits_for,
        loop=None if newest is None else newest.loop,
        returned=_told(newest, "returned") or 0,
        asked=_told(newest, "asked") or 0,
        since=_told(newest, "asked_at"),
    )


def _told(loop: LoopView | None, name: str) -> Any:
    """What a loop tells of labels by people."""
    return getattr(loop, name, None)
