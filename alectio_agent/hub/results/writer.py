"""Writes results files off the loop's path: whole, or as they were before."""

import os
from functools import partial
from pathlib import Path
from threading import Event

from sqlalchemy import Connection, select

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.results_document import as_csv, as_json, read_document
from alectio_agent.hub.store.store import Store
from alectio_agent.hub.store.tables import experiments

IDLE_S = 3600.0
BETWEEN_S = 0.5
"""Loops that follow each other faster share one write."""


class ResultsWriter:
    """A step object: one turn writes the files of all experiments that changed."""

    def __init__(self, store: Store, platform: Platform) -> None:
        """Prepare; the first turn writes the files of all experiments.

        Args:
            store: The hub's.
            platform: Whose experiments.
        """
        self._store = store
        self._context = platform.context
        self._due = platform.context.due
        self._results = platform.context.results
        self._clock = platform.context.clock
        self._never = Event()
        self._written_at: float | None = None

    @property
    def wake(self) -> Event:
        """Set when an experiment changed."""
        return self._due.results

    def step(self) -> float:
        """Write what is out of date.

        Returns:
            Seconds to wait before the next turn.

        Raises:
            StoreError: The disk refuses; what was not written stays out of date.
        """
        if self._written_at is None:
            for name in self._store.read(_all_names).result():
                self._due.mark(name)
        else:
            self._clock.wait(self._never, self._written_at + BETWEEN_S - self._clock.monotonic())
        names = self._due.take_marked()
        for at, name in enumerate(names):
            try:
                self._write(name)
            except BaseException:
                for late in names[at:]:
                    self._due.mark(late)
                raise
        self._written_at = self._clock.monotonic()
        return IDLE_S

    def _write(self, name: str) -> None:
        document = self._store.read(
            partial(read_document, name=name, context=self._context)
        ).result()
        folder = self._results / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _replace(folder / "experiment.json", as_json(document))
            _replace(folder / "loops.csv", as_csv(document))
            _sync_folder(folder)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror or error}") from error


def _all_names(tx: Connection) -> list[str]:
    return list(tx.execute(select(experiments.c.name)).scalars())


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
