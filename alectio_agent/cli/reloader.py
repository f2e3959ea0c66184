"""HUP and `reload`: reads agent.yaml again."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from alectio_agent.agent.service.control.reloaded import Reloaded
from alectio_agent.cli.options import Common
from alectio_agent.cli.reloadable import LIVE, InForce, changed_keys
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import set_format, set_level

log = logging.getLogger(__name__)


class Reloader:
    """Applies what can change while jobs run, and names what cannot (`cli/reloadable.py`).

    The token needs no reload: it is read anew for every call.

    Attributes:
        in_force: The parts that take new settings over; none before there is an agent.
    """

    def __init__(
        self,
        file: Path,
        settings: AgentFile,
        common: Common,
        read: Callable[[], AgentFile] | None = None,
    ) -> None:
        """Remember what is in force.

        Args:
            file: The configuration.
            settings: As loaded from it.
            common: Says what the level stays at, whatever the file says.
            read: Reads the configuration again; by default from that file alone.
        """
        self._load = read or (lambda: load_agent_file(file)[0])
        self._file = file
        self._started = self._live = settings
        self._common = common
        # Signals and orders have threads of their own.
        self._lock = threading.Lock()
        self.in_force = InForce()

    def __call__(self) -> None:
        """Read the file; one with problems changes nothing."""
        try:
            self.read()
        except ConfigError as error:
            log.error("%s\nThe configuration in force stays.", error)  # noqa: TRY400 - its text says it all

    def read(self) -> Reloaded:
        """Read the file, and say what that changes.

        Returns:
            What is in force from now on, and what waits for a restart.

        Raises:
            ConfigError: It has problems, and changes nothing.
        """
        found = self._load()
        with self._lock:
            changed = [key for key in changed_keys(self._live, found) if key in LIVE]
            self._live = found
            set_level(self._common.level(found.logging.level))
            set_format(found.logging.format)
            self.in_force.take(found)
        waiting = [key for key in changed_keys(self._started, found) if key not in LIVE]
        if changed:
            log.info("%s: in force now: %s", self._file, ", ".join(changed))
        if waiting:
            log.warning("%s: needs a restart: %s", self._file, ", ".join(waiting))
        elif not changed:
            log.info("%s read again: nothing has changed", self._file)
        return Reloaded(str(self._file), tuple(changed), tuple(waiting))
