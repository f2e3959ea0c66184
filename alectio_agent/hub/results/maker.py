"""Makes the files of one experiment from the tables and the parts; asked by the writer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.results_document import as_json, read_document
from alectio_agent.hub.experiments.versions import told_versions, version_of
from alectio_agent.hub.results.files import write_text
from alectio_agent.hub.results.folders import Folders
from alectio_agent.hub.results.marks import Mark, read_mark, write_mark
from alectio_agent.hub.results.outputs import read_inferred, remove_others, write_output
from alectio_agent.hub.results.tables import TABLES
from alectio_agent.hub.results.telling import find_siblings, read_told
from alectio_agent.report.page import render_page
from alectio_agent.wire.results_files import OUTPUTS, SMALL_FILES

ResultT = TypeVar("ResultT")


class Read(Protocol):
    """Runs a piece of work in a transaction that reads."""

    def __call__(self, work: Callable[[Connection], ResultT], /) -> ResultT:
        """Run it, and close the transaction."""


class ResultsMaker:
    """Answers the requests of the hub's writer."""

    def __init__(self, read: Read, folders: Folders, program: str) -> None:
        """Bind to a hub's folders.

        Args:
            read: Looks at what is committed.
            folders: Where its files lie.
            program: Version of this program.
        """
        self._read = read
        self._parts = folders.parts
        self._names = NameFiles(folders.names)
        self._results = folders.results
        self._program = program

    def answer(self, line: bytes) -> dict[str, Any]:
        """Do what a request says.

        Args:
            line: JSON: `op` is `data` or `report`, `name` is an experiment's.

        Returns:
            See `make_data` and `make_report`.

        Raises:
            StoreError: The database or the disk refuses.
        """
        request = json.loads(line)
        make = {"data": self.make_data, "report": self.make_report}[request["op"]]
        return make(request["name"])

    def make_data(self, name: str) -> dict[str, Any]:
        """Write everything but the report; what is small comes first.

        Args:
            name: Of the experiment.

        Returns:
            Its `state`; the other experiments whose reports show it, `shown_in`; `problems` with
            results that cannot be read, or not as a whole.

        Raises:
            StoreError: The database or the disk refuses.
        """
        folder = self._results / name
        mark = read_mark(folder)

        def read(tx: Connection) -> tuple[dict[str, Any], int, list[str], Any]:
            document = read_document(tx, name, self._names)
            inferred = read_inferred(tx, name, self._parts, mark.outputs)
            return document, version_of(tx, name) or 0, _shown_in(tx, document), inferred

        document, version, shown_in, (wanted, loops) = self._read(read)
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / SMALL_FILES[0], as_json(document))
            for file, table in TABLES.items():
                write_text(folder / file, table(document))
            sync_folder(folder)
            made = {str(each.loop): write_output(folder / OUTPUTS, each) for each in wanted}
            kept = {loop: kept for loop, kept in mark.outputs.items() if loop in loops}
            outputs = {**kept, **made}
            remove_others(folder / OUTPUTS, {kept.file for kept in outputs.values()})
            write_mark(folder, Mark(self._program, version, mark.report, outputs))
            sync_folder(folder)
        problems = [f"loop {loop}: {kept.problem}" for loop, kept in made.items() if kept.problem]
        return {"state": document["state"], "shown_in": shown_in, "problems": problems}

    def make_report(self, name: str) -> dict[str, Any]:
        """Write the report.

        Args:
            name: Of the experiment, whose other files are made.

        Returns:
            Nothing to tell.

        Raises:
            StoreError: The database or the disk refuses.
        """
        folder = self._results / name
        told, versions = self._read(
            lambda tx: (
                told := read_told(tx, name, self._names),
                told_versions(tx, name, told.document["control"]),
            )
        )
        page = render_page(told)
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / "report.html", page)
            mark = read_mark(folder)
            mark.report = versions
            write_mark(folder, mark)
            sync_folder(folder)
        return {}


def _shown_in(tx: Connection, document: dict[str, Any]) -> list[str]:
    """A control is shown by its experiment at once, a sibling by the others when it rests."""
    control_of = document["control_of"]
    found = [] if control_of is None else [control_of]
    if document["state"] == "finished":
        found += find_siblings(tx, document["name"])
    return found


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise StoreError(f"{place}: {error.strerror or error}") from error
