"""The agent's database in memory; a power cut takes commits back that were not synced."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alectio_agent.core.sqlite import Database, Row


class Platter:
    """What is left of a database whose process ended."""

    def __init__(self) -> None:
        self._states: list[bytes] = []
        """The last synced state, and every later one."""

    @property
    def newest(self) -> bytes | None:
        """What a killed process leaves; None for a new database."""
        return self._states[-1] if self._states else None

    def keep(self, state: bytes, *, is_synced: bool) -> None:
        """A transaction was committed."""
        self._states = [state] if is_synced or not self._states else [*self._states, state]

    def cut_power(self, rng: random.Random) -> bool:
        """Lose some of the newest commits, if any of them was not synced; whether one was lost."""
        before = len(self._states)
        if before:
            self._states = self._states[: rng.randint(1, before)]
        return len(self._states) < before

    def forget_all(self) -> None:
        """Somebody removed the file."""
        self._states = []


class KeptDatabase(Database):
    """Real SQL, as the agent's own; a process may die before and after each commit."""

    def __init__(
        self,
        platter: Platter,
        point: Callable[[str], None],
        path: Path,
        schema: str,
        version: int,
        **more: Any,
    ) -> None:
        self._platter = platter
        self._point = point
        super().__init__(path, schema, version, **more)

    def connect(self, path: Path, timeout_s: float) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if self._platter.newest is not None:
            connection.deserialize(self._platter.newest)
        return connection

    @contextmanager
    def transaction(self, *, is_synced: bool = True) -> Iterator[Callable[..., list[Row]]]:
        self._point("journal")
        with super().transaction(is_synced=is_synced) as run:
            yield run
        self._platter.keep(self._connection.serialize(), is_synced=is_synced)
        self._point("journal")
