"""Looks at the clock for the platform: claims that were never started, leases that ran out.

Each turn says that the hub is awake, as only such time counts for a lease. Now and then it also
writes when agents were last heard of, which lies in memory.
"""

import logging
from threading import Event

from alectio_agent.core.units import format_duration
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.store.store import Store

log = logging.getLogger(__name__)

TICK_S = 1.0
IDLE_S = 60.0


class Ticker:
    """A step object: one turn lets the platform look, while anything is claimed."""

    def __init__(self, store: Store, platform: Platform) -> None:
        """Wake at every change: it may have been a claim.

        Args:
            store: The hub's.
            platform: That has leases to watch.
        """
        self._store = store
        self._platform = platform
        self._is_ticking = False
        self.wake = Event()
        store.on_commit(self._changed)

    def step(self) -> float:
        """Look.

        Returns:
            Seconds to wait before the next turn.
        """
        # Before the look: a claim that is committed just after it wakes the next turn.
        self._is_ticking = False
        if slept_s := self._platform.turn(TICK_S):
            log.warning("the hub stood still for %s: for leases this time does not count",
                        format_duration(slept_s))  # fmt: skip
        self._keep_contacts()
        if not self._platform.may_have_claims:
            self._platform.turn(IDLE_S)
            return IDLE_S
        self._is_ticking = True
        self._store.write(self._platform.tick).result()
        return TICK_S

    def _keep_contacts(self) -> None:
        claiming = self._platform.claiming
        if called := claiming.take_contacts():
            self._store.write(lambda tx: claiming.keep_contacts(tx, called)).result()

    def _changed(self) -> None:
        # While it ticks, it ticks by the clock: commits must not make it tick faster.
        if not self._is_ticking:
            self.wake.set()
