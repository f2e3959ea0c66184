"""Puts the parts of a hub together."""

import asyncio
import random
from asyncio import wrap_future

from fastapi import FastAPI

from alectio_agent.core.clock import Clock
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.api.job_watch import JobWatch
from alectio_agent.hub.api.pulse import Pulse
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.api.uploads import drop_unfinished
from alectio_agent.hub.experiments.analysis_process import AnalysisProcess
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.selection_worker import SelectionWorker
from alectio_agent.hub.experiments.versions import job_mark
from alectio_agent.hub.results.writer import ResultsWriter
from alectio_agent.hub.server.settings import ServerSettings
from alectio_agent.hub.server.ticker import Ticker
from alectio_agent.hub.server.worker import Worker, guarded
from alectio_agent.hub.store.store import Store
from alectio_agent.wire.operation import Scope

DATABASE = "hub.db"
FINISH_S = 20.0
"""How long a selection that is being made may keep a stopping hub; it is made anew otherwise."""


class Hub:
    """A hub that is built: its application, its store, its workers."""

    def __init__(self, services: Services, analysis: AnalysisProcess) -> None:
        """Prepare; nothing runs yet.

        Args:
            services: What the application works with.
            analysis: Makes selections and metrics.
        """
        self.services = services
        self.app: FastAPI = create_app(services)
        self.platform_id = services.store.read(services.platform.platform_id).result()
        self._analysis = analysis
        store, platform, clock = services.store, services.platform, services.clock
        self._writer = ResultsWriter(store, platform)
        self._selections = Worker("selections", SelectionWorker(store, platform, analysis), clock)
        self._results = Worker("results", self._writer, clock)
        self._ticker = Worker("ticker", Ticker(store, platform), clock)
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the workers."""
        self._analysis.start()
        for worker in (self._selections, self._results, self._ticker):
            worker.start()

    def listen(self) -> None:
        """Let commits wake held requests; from the event loop."""
        services = self.services
        for pulse in (services.commits, services.jobs):
            pulse.listen()
        services.store.on_commit(services.commits.beat)
        watch = JobWatch(
            services.commits,
            services.jobs,
            lambda: wrap_future(services.store.read(job_mark)),
            lambda: services.holds.are_replaceable,
        )
        self._watch = asyncio.get_running_loop().create_task(watch.run())

    def quiet(self) -> None:
        """End all holds; from the event loop, which is about to end."""
        self.services.holds.stop()
        for pulse in (self.services.commits, self.services.jobs):
            pulse.deafen()
        if self._watch is not None:
            self._watch.cancel()

    def close(self) -> None:
        """Finish what is being made, write the results that are owed, close the store."""
        for worker in (self._selections, self._ticker, self._results):
            worker.stop()
        self._selections.join(FINISH_S)
        self._analysis.close()
        for worker in (self._selections, self._ticker, self._results):
            worker.join(FINISH_S)
        guarded("results", self._writer.step)
        self.services.store.close()


def build_hub(settings: ServerSettings, clock: Clock, process_tokens: dict[str, Scope]) -> Hub:
    """Open the folder of a hub and put its parts together.

    Args:
        settings: Of the server.
        clock: For everything.
        process_tokens: Token to scope; good as long as this process lives.

    Returns:
        A hub that has not started.

    Raises:
        StoreVersionError: A newer version wrote the folder.
        StoreError: The folder cannot be used.
    """
    store = Store(settings.data / DATABASE, clock)
    platform = Platform(settings.data, settings.results, clock)
    for folder in (platform.context.parts, platform.context.names.folder):
        drop_unfinished(folder)
    services = Services(
        store=store,
        platform=platform,
        gate=Gate(store, clock, process_tokens),
        holds=Holds(),
        commits=Pulse(),
        jobs=Pulse(),
        clock=clock,
        rng=random.SystemRandom(),
        results=settings.results,
    )
    return Hub(services, AnalysisProcess())
