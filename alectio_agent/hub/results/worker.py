"""The results process: makes results files, one request a line on stdin, one answer on stdout.

`python -m alectio_agent.hub.results.worker DATABASE PARTS NAMES RESULTS` runs until stdin ends.
"""

import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from alectio_agent.core.errors import StoreVersionError
from alectio_agent.core.lines import answer_lines, on_own_pipes
from alectio_agent.hub.results.folders import Folders
from alectio_agent.hub.results.maker import ResultsMaker
from alectio_agent.hub.store.engines import open_reader, translated
from alectio_agent.hub.store.schema import meta_value
from alectio_agent.hub.store.tables import SCHEMA

ResultT = TypeVar("ResultT")


class HubReader:
    """Looks at the database of a hub that runs, and changes nothing."""

    def __init__(self, database: Path, engine: Engine | None = None) -> None:
        """Connect when it is first asked.

        Args:
            database: The file.
            engine: To use instead of the usual one.
        """
        self._database = database
        self._engine = engine or open_reader(database)

    def __call__(self, work: Callable[[Connection], ResultT], /) -> ResultT:
        """Run a piece of work in a transaction of its own.

        Args:
            work: Reads rows.

        Returns:
            What it returned.

        Raises:
            StoreVersionError: The program was changed under the hub that runs.
            StoreError: The file cannot be read.
        """
        with translated(self._database), self._engine.connect() as connection, connection.begin():
            found = int(meta_value(connection, "schema"))
            if found != SCHEMA:
                raise StoreVersionError(
                    f"{self._database}: schema {found}; this version expects {SCHEMA}",
                    hint="The program was changed under a running hub: start the hub again.",
                )
            return work(connection)


def main() -> None:
    """Serve stdin and stdout."""
    database, *folders = map(Path, sys.argv[1:])
    maker = ResultsMaker(HubReader(database), Folders(*folders), version("alectio-agent"))
    on_own_pipes(partial(answer_lines, answer=maker.answer))


if __name__ == "__main__":
    main()
