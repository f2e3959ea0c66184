"""Writes the OpenAPI document: `python -m alectio_agent.hub.api.openapi docs/openapi.json`."""

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alectio_agent.core.clock import SystemClock
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.api.app import create_app
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.api.pulse import Pulse
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.store.store import Store


def openapi_text() -> str:
    """The document, of a hub that never serves.

    Returns:
        JSON, indented, so that a change shows as a few lines.
    """
    clock = SystemClock()
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "hub.db", clock)
        try:
            platform = Platform(Path(folder), Path(folder), clock)
            services = Services(
                store=store,
                platform=platform,
                gate=Gate(store, clock, {}),
                holds=Holds(),
                commits=Pulse(),
                dealer=Dealer(store, platform.claiming, clock),
                clock=clock,
                rng=random.Random(0),  # noqa: S311 - for jitter only
                results=Path(folder),
            )
            document = create_app(services).openapi()
        finally:
            store.close()
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(openapi_text(), "utf-8")
