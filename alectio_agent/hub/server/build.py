"""Puts the parts of a hub together."""

import random
import secrets
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from alectio_agent.core.clock import Clock
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.access.session_key import KEY_BYTES, session_key
from alectio_agent.hub.access.sessions import Sessions
from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.api.pulse import Pulse
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.api.uploads import drop_unfinished
from alectio_agent.hub.dashboard.dashboard import Dashboard
from alectio_agent.hub.experiments.analysis_process import AnalysisProcess
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.selection_worker import SelectionWorker
from alectio_agent.hub.results.folders import Folders
from alectio_agent.hub.results.results_process import ResultsProcess
from alectio_agent.hub.results.writer import ResultsWriter
from alectio_agent.hub.server.expecting import expects_selections
from alectio_agent.hub.server.last_results import LastResults
from alectio_agent.hub.server.settings import DATABASE, ServerSettings
from alectio_agent.hub.server.ticker import Ticker
from alectio_agent.hub.server.worker import Worker
from alectio_agent.hub.store.store import Store
from alectio_agent.wire.operation import Scope

FINISH_S = 20.0
"""How long a selection may keep a stopping hub; it is made anew otherwise."""


class Hub:
    """A hub that is built: its application, its store, its workers."""

    def __init__(
        self,
        services: Services,
        sessions: Sessions,
        analysis: AnalysisProcess,
        maker: ResultsProcess,
        *,
        is_box: bool,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            services: What the application works with.
            sessions: Of people in a browser.
            analysis: Makes selections and metrics.
            maker: Makes results files.
            is_box: It was started for one experiment, which may come in a moment.
        """
        self.services = services
        self.app: FastAPI = create_app(services)
        self._dashboard = Dashboard(services, sessions)
        self._dashboard.mount(self.app)
        self.platform_id = services.store.read(services.platform.platform_id).result()
        self._analysis = analysis
        self._maker = maker
        self._is_box = is_box
        store, platform, clock = services.store, services.platform, services.clock
        writer = ResultsWriter(store, platform, maker, version("alectio-agent"))
        selections = SelectionWorker(store, platform, analysis, services.dealer.write)
        self._selections = Worker("selections", selections, clock)
        self._results = Worker("results", writer, clock)
        self._last_results = LastResults(self._results, writer, clock)
        self._ticker = Worker("ticker", Ticker(store, platform), clock)

    def start(self) -> None:
        """Start the workers."""
        # Else it starts when it is first asked: a look at what is finished does not need it.
        look = partial(expects_selections, is_box=self._is_box)
        if self.services.store.read(look).result():
            self._analysis.start()
        for worker in (self._selections, self._results, self._ticker):
            worker.start()

    def listen(self) -> None:
        """Let commits wake held requests; from the event loop."""
        services = self.services
        services.commits.listen()
        services.dealer.listen()
        services.store.on_commit(services.commits.beat)
        services.store.on_commit(services.dealer.committed)
        self._dashboard.start()

    def quiet(self) -> None:
        """End all holds; from the event loop, which is about to end."""
        self.services.holds.stop()
        self.services.dealer.deafen()
        self._dashboard.stop()
        self.services.gate.write_uses()
        self.services.commits.deafen()

    def close(self) -> None:
        """Finish what is being made, write the results that are owed, close the store."""
        for worker in (self._selections, self._ticker, self._results):
            worker.stop()
        self._selections.join(FINISH_S)
        self._analysis.close()
        for worker in (self._selections, self._ticker):
            worker.join(FINISH_S)
        self._last_results.write()
        self._maker.close()
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
    platform.claiming.follow(store)
    for folder in (platform.context.parts, platform.context.names.folder):
        drop_unfinished(folder)
    gate = Gate(store, clock, process_tokens)
    sessions = _make_sessions(settings, store, platform, gate, clock)
    services = Services(
        store=store,
        platform=platform,
        gate=gate,
        holds=Holds(),
        commits=Pulse(),
        dealer=Dealer(store, platform.claiming, platform.context.clock),
        clock=clock,
        rng=random.SystemRandom(),
        results=settings.results,
        sessions=sessions,
    )
    context = platform.context
    folders = Folders(context.parts, context.names.folder, context.results)
    maker = ResultsProcess(settings.data / DATABASE, folders)
    return Hub(services, sessions, AnalysisProcess(), maker, is_box=settings.is_box)


def _make_sessions(
    settings: ServerSettings, store: Store, platform: Platform, gate: Gate, clock: Clock
) -> Sessions:
    """Sessions of people in a browser; those of the hub in the box end with its process."""
    key = secrets.token_bytes(KEY_BYTES) if settings.is_box else session_key(settings.data)
    mark = store.read(platform.platform_id).result()[:8]
    return Sessions(gate, clock, key, mark, is_box=settings.is_box)
