"""HUP and `reload`: reads agent.yaml again."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alectio_agent.agent.service.control.reloaded import Reloaded
from alectio_agent.cli.options import Common
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.log import set_format, set_level

log = logging.getLogger(__name__)

AT_ONCE = ("logging.level", "logging.format")


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
        self._load = read or (lambda: load_agent_file(file)[0])
        self._file = file
        self._settings = settings
        self._common = common
        self._in_force = settings.logging

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
        before, self._in_force = self._in_force, found.logging
        set_level(self._common.level(found.logging.level))
        set_format(found.logging.format)
        taken = (found.logging.level != before.level, found.logging.format != before.format)
        changed = tuple(key for key, is_other in zip(AT_ONCE, taken, strict=True) if is_other)
        waiting = _changed(self._settings.model_dump(), found.model_dump())
        if waiting:
            log.warning("%s: needs a restart: %s", self._file, ", ".join(waiting))
        else:
            log.info("%s read again", self._file)
        return Reloaded(str(self._file), changed, tuple(waiting))


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The keys that differ and wait, at the depth of sections and pipelines."""
    keys = []
    for section in sorted(now):
        old, new = before[section], now[section]
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted(old.keys() | new.keys())
            keys += [f"{section}.{name}" for name in names if old.get(name) != new.get(name)]
        elif old != new:
            keys.append(section)
    return [key for key in keys if key not in AT_ONCE]
