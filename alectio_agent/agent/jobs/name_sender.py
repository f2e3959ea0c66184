"""Sends the record names that the platform asked for; nothing waits for it."""

import gzip
import logging
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.verdicts import rule
from alectio_agent.core.errors import PlatformError
from alectio_agent.wire.protocol import MAX_NAMES_BYTES

log = logging.getLogger(__name__)

IDLE_S = 3600.0
CHUNK_BYTES = 2**20
COMPRESSION = 1
"""Names are much alike: more effort saves a few percent, and takes twice as long."""


class NameSender:
    """A step object: one turn sends the names of one pool. Other methods: from any thread."""

    def __init__(self, client: PlatformClient, files: Mapping[str, Path], backoff: Backoff) -> None:
        """Start with nothing to send.

        Args:
            client: On a connection of its own.
            files: Those with names that may leave the site, by the digest of their lines.
            backoff: Of sending.
        """
        self._client = client
        self._files = files
        self._backoff = backoff
        self._lock = threading.Lock()
        self._wanted: list[str] = []
        self._agent_id = ""
        self.wake = threading.Event()

    @property
    def is_idle(self) -> bool:
        """Whether all that was asked for has arrived, or was given up."""
        with self._lock:
            return not self._wanted

    @property
    def is_failing(self) -> bool:
        """Whether the last try did not arrive."""
        return self._backoff.failures > 0

    @property
    def trouble(self) -> str:
        """Why nothing arrives, after three failures in a row; empty before."""
        return self._backoff.trouble

    def want(self, agent_id: str, digests: list[str]) -> None:
        """Take the answer to a registration; what an earlier one asked for is forgotten.

        Args:
            agent_id: As the platform named this agent.
            digests: Of the names that it does not have.
        """
        with self._lock:
            self._agent_id = agent_id
            self._wanted = [digest for digest in digests if digest in self._files]
        self.wake.set()

    def hurry(self) -> None:
        """Try once more, now: the agent is about to stop."""
        self._backoff.succeeded()
        self.wake.set()

    def step(self) -> float:
        """Send the names of one pool.

        Returns:
            Seconds to wait before the next turn.
        """
        with self._lock:
            digest, agent_id = (self._wanted[0] if self._wanted else None), self._agent_id
        if digest is None:
            return IDLE_S
        try:
            self._send(agent_id, digest)
        except OSError as error:
            return self._later(error)
        except PlatformError as error:
            action = rule("names", error)
            if action == "slow":
                return self._backoff.refused(error)
            if action == "retry":
                return self._later(error)
            log.warning("the platform refuses the record names: %s", error.message)
        self._backoff.succeeded()
        with self._lock:
            self._wanted = [wanted for wanted in self._wanted if wanted != digest]
        return 0.0

    def _later(self, error: Exception) -> float:
        log.debug("record names are not sent yet: %s", error)
        return self._backoff.failed(error)

    def _send(self, agent_id: str, digest: str) -> None:
        file = self._files[digest]
        if file.stat().st_size > MAX_NAMES_BYTES:
            log.warning(
                "%s: more than %d bytes of record names are not sent", file, MAX_NAMES_BYTES
            )
            return
        packed = file.with_name(f"{file.name}.gz")
        try:
            with (
                file.open("rb") as plain,
                gzip.open(packed, "wb", compresslevel=COMPRESSION) as stream,
            ):
                shutil.copyfileobj(plain, stream, CHUNK_BYTES)
            self._client.put_names(agent_id, digest, packed)
        finally:
            packed.unlink(missing_ok=True)
