"""`/experiments/NAME`: one experiment, live, with its report."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.dashboard.answers import page
from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import fingerprint, render, safe
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.hub.experiments.job_log_files import read_tail
from alectio_agent.hub.experiments.job_views import list_jobs
from alectio_agent.hub.experiments.records import named_experiment
from alectio_agent.hub.experiments.tried import Tried, find_tried, list_tried
from alectio_agent.hub.results.telling import read_told, told_mark
from alectio_agent.report.page import render_body
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.operation import ExperimentView, JobView, LoopView
from alectio_agent.wire.protocol import STEPS
from alectio_agent.wire.results_files import in_order

TAIL_BYTES, LONG_TAIL_BYTES = 8 * 2**10, 256 * 2**10


@dataclass(frozen=True)
class _Seen:
    """What the tables and the memory say at one moment."""

    view: ExperimentView
    job: JobView | None
    tried: list[Tried]
    pipeline: str | None
    mark: str

    @property
    def newest(self) -> LoopView | None:
        return self.view.loops[-1] if self.view.loops else None


class ExperimentPage:
    """One experiment: what it does, what it waits for, its report, attempts, logs and files."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads."""
        self._desk = desk
        self._platform = desk.services.platform

    def pages(self) -> list[Page]:
        """What there is to serve."""
        one = "/experiments/{name}"
        return [
            Page("GET", one, self.show),
            Page("GET", one + "/report", self.show_report),
            Page("GET", one + "/log/{loop}/{attempt}", self.show_log),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the experiment; a page that is open gets everything but the report."""
        name = visit.name

        async def make() -> str:
            seen = await self._desk.read(partial(self._look, name=name))
            log, files = await in_thread(partial(self._look_at_disk, seen))
            report = "" if visit.is_fragment else await self._report(name, seen.mark)
            told: dict[str, Any] = {
                "title": name,
                "here": "experiments",
                "topic": name,
                "view": seen.view,
                "newest": seen.newest,
                "job": seen.job,
                "stages": _stages(seen),
                "tried": seen.tried,
                "pipeline": seen.pipeline,
                "mark": fingerprint(seen.mark),
                "log": log,
                "log_of": seen.tried[0] if seen.tried else None,
                "files": files,
            }
            draw = partial(render, "experiment.html", visit.session, is_part=visit.is_fragment)
            return await in_thread(partial(draw, report=safe(report), **told))

        return await self._desk.show(visit, ("experiment", name), make)

    async def show_report(self, visit: Visit) -> Response:
        """Show the report alone, for a page that is open."""
        mark = await self._desk.read(partial(_mark, name=visit.name))
        return page(await self._report(visit.name, mark))

    async def show_log(self, visit: Visit) -> Response:
        """Show the end of what the hooks of one attempt printed."""
        loop, attempt = (_count(visit.request.path_params[key]) for key in ("loop", "attempt"))
        found = await self._desk.read(lambda tx: find_tried(tx, visit.name, loop, attempt))
        if found is None:
            raise ProblemError("not-found", f"{visit.name}/{loop} has no attempt {attempt}")
        log = await in_thread(partial(self._tail, found, LONG_TAIL_BYTES))
        html = render(
            "log.html", visit.session, title=f"Log of {visit.name}/{loop}", here="experiments",
            topic=None, name=visit.name, tried=found, log=log,
        )  # fmt: skip
        return self._desk.page(visit, html)

    def _look(self, tx: Connection, name: str) -> _Seen:
        view = self._platform.show(tx, name)
        jobs = list_jobs(tx, self._platform.context, name)
        experiment = named_experiment(tx, name)
        return _Seen(
            view=view,
            job=jobs[-1] if jobs else None,
            tried=list_tried(tx, name),
            pipeline=experiment.pipeline or experiment.settings.pipeline,
            mark=_mark(tx, name),
        )

    def _look_at_disk(self, seen: _Seen) -> tuple[LogText | None, list[tuple[str, int]]]:
        log = self._tail(seen.tried[0], TAIL_BYTES) if seen.tried else None
        return log, list_files(self._desk.services.results / seen.view.name)

    def _tail(self, tried: Tried, size_bytes: int) -> LogText | None:
        return read_tail(self._platform.context, tried.job_id, tried.attempt, size_bytes)

    async def _report(self, name: str, mark: str) -> str:
        async def make() -> str:
            told = await self._desk.read(partial(read_told, name=name, names=self._platform.names))
            return await in_thread(partial(render_body, told, has_title=False))

        return await self._desk.reports.get(name, mark, make)


def list_files(folder: Path) -> list[tuple[str, int]]:
    """Results files that can be opened or saved.

    Args:
        folder: Of the experiment.

    Returns:
        Path below the folder and size of each; the report first.
    """
    try:
        found = [
            (path.relative_to(folder).as_posix(), path.stat().st_size)
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        ]
    except OSError:
        return []
    return sorted(
        found, key=lambda entry: (entry[0] != "report.html", "/" in entry[0], in_order(entry[0]))
    )


def _mark(tx: Connection, name: str) -> str:
    return repr(told_mark(tx, name))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ProblemError("not-found", "there is no such page")
    return int(text)


def _stages(seen: _Seen) -> list[tuple[str, str, float | None]]:
    """Each step of the newest loop: its name, where it is, and the seconds it took.

    For a step that has yet to come, the seconds of the loop before.
    """
    if seen.job is None or seen.newest is None:
        return []
    before = seen.view.loops[-2].seconds if len(seen.view.loops) > 1 else {}
    stages: list[tuple[str, str, float | None]] = []
    for step in STEPS:
        if step in seen.newest.seconds:
            stages.append((step, "done", seen.newest.seconds[step]))
        elif seen.job.step == step:
            stages.append((step, "runs", before.get(step)))
        else:
            stages.append((step, "next", before.get(step)))
    return stages
