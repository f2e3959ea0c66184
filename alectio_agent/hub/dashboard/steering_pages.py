"""What operators do to an experiment: forms that act, then show the experiment again."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import OPERATOR
from alectio_agent.hub.dashboard.answers import redirect
from alectio_agent.hub.dashboard.desk import Desk
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.hub.experiments.versions import version_of
from alectio_agent.wire.operation import ExperimentRetry, ExperimentView


class SteeringPages:
    """Pause, resume, retry, cancel."""

    def __init__(self, desk: Desk) -> None:
        """Bind the forms to what they do."""
        self._desk = desk
        self._platform = desk.services.platform

    def pages(self) -> list[Page]:
        """What there is to serve."""
        one = "/experiments/{name}"
        return [
            Page("POST", one + "/pause", self.pause, OPERATOR),
            Page("POST", one + "/resume", self.resume, OPERATOR),
            Page("POST", one + "/retry", self.retry, OPERATOR),
            Page("GET", one + "/cancel", self.ask_to_cancel, OPERATOR),
            Page("POST", one + "/cancel", self.cancel, OPERATOR),
        ]

    async def pause(self, visit: Visit) -> Response:
        """Give out no further job."""
        return await self._act(visit, partial(self._platform.pause, name=visit.name))

    async def resume(self, visit: Visit) -> Response:
        """Go on after a pause."""
        return await self._act(visit, partial(self._platform.resume, name=visit.name))

    async def retry(self, visit: Visit) -> Response:
        """Try again what waits for a person; with `step=train` from train on."""
        step = visit.form.get("step", "")
        if step not in ("", "train"):
            raise ProblemError("invalid", "step: expected train, or nothing")
        said = ExperimentRetry(step="train") if step else None
        return await self._act(visit, partial(self._platform.retry, name=visit.name, said=said))

    async def ask_to_cancel(self, visit: Visit) -> Response:
        """Ask once more; pages with JavaScript ask in a dialog instead."""
        if await self._desk.read(partial(version_of, name=visit.name)) is None:
            raise ProblemError("not-found", f"no experiment is called `{visit.name}`")
        html = render(
            "cancel.html", visit.session, title=f"Cancel {visit.name}?", here="experiments",
            topic=None, name=visit.name,
        )  # fmt: skip
        return self._desk.page(visit, html)

    async def cancel(self, visit: Visit) -> Response:
        """End the experiment for good."""
        return await self._act(visit, partial(self._platform.cancel, name=visit.name))

    async def _act(self, visit: Visit, work: Callable[[Connection], ExperimentView]) -> Response:
        await self._desk.write(work)
        return redirect(f"/experiments/{quote(visit.name, safe='')}")
