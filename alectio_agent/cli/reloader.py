"""HUP: reads agent.yaml again."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alectio_agent.cli.options import Common
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import set_level

log = logging.getLogger(__name__)


class Reloader:
    """Applies what can change while jobs run, and names what cannot.

    The token needs no reload: it is read anew for every call. Pipelines are what the platform was
    told at registration, so they wait for a restart.
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
        self._read = read or (lambda: load_agent_file(file)[0])
        self._file = file
        self._settings = settings
        self._common = common

    def __call__(self) -> None:
        """Read the file; one with problems changes nothing."""
        try:
            found = self._read()
        except ConfigError as error:
            log.error("%s\nThe configuration in force stays.", error)  # noqa: TRY400 - its text says it all
            return
        set_level(self._common.level(found.logging.level))
        waiting = _changed(self._settings.model_dump(), found.model_dump())
        if waiting:
            log.warning("%s: needs a restart: %s", self._file, ", ".join(waiting))
        else:
            log.info("%s read again", self._file)


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The keys that differ, `logging` left out, at the depth of sections and pipelines."""
    keys = []
    for section in sorted(now.keys() - {"logging"}):
        old, new = before[section], now[section]
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted(old.keys() | new.keys())
            keys += [f"{section}.{name}" for name in names if old.get(name) != new.get(name)]
        elif old != new:
            keys.append(section)
    return keys
