"""What the endpoints work with, built by the server and passed down."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from alectio_agent.core.clock import Clock
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.access.sessions import Sessions
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.api.pulse import Pulse
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.store.store import Store
from alectio_agent.wire.protocol import (
    MAX_CLAIM_BYTES,
    MAX_NAMES_BYTES,
    MAX_PART_BYTES,
    MAX_REQUEST_BYTES,
)
from alectio_agent.wire.slices import LARGEST_SLICE_BYTES


@dataclass(frozen=True)
class Limits:
    """Largest bodies, in bytes."""

    request_bytes: int = MAX_REQUEST_BYTES
    part_bytes: int = MAX_PART_BYTES
    slice_bytes: int = LARGEST_SLICE_BYTES
    label_bytes: int = MAX_CLAIM_BYTES
    names_bytes: int = MAX_NAMES_BYTES


@dataclass(frozen=True)
class Services:
    """Everything an endpoint may call.

    Attributes:
        gate: Checks tokens.
        holds: Held requests.
        commits: Beats after every commit.
        dealer: Gives jobs to agents that wait.
        limit: Ends a poll that is held; given so that tests need not wait.
        rng: For the length of holds and Retry-After.
        results: Folder of the results files.
        sessions: Of people in a browser; None without pages for them.
    """

    store: Store
    platform: Platform
    gate: Gate
    holds: Holds
    commits: Pulse
    dealer: Dealer
    clock: Clock
    rng: random.Random
    results: Path
    limits: Limits = field(default_factory=Limits)
    sessions: Sessions | None = None
    limit: Callable[[float | None], asyncio.Timeout] = asyncio.timeout
