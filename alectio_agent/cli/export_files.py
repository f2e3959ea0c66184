"""Fetches the results files of an experiment: all of them lie in their folder, or none."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.core.errors import StoreBusyError, StoreError, UsageError
from alectio_agent.wire.results_files import OUTPUTS, SMALL_FILES, ResultsFile

Progress = Callable[[int], object]


def find_files(operator: OperationClient, name: str, *, with_outputs: bool) -> list[ResultsFile]:
    """What an export has to fetch.

    Args:
        operator: The hub.
        name: Of the experiment.
        with_outputs: The outputs as well, which can be large.

    Returns:
        The files, the small ones first.

    Raises:
        PlatformRejectedError: `not-found`.
        StoreBusyError: The hub has not made all of the small ones yet.
    """
    there = {file.path: file for file in operator.results_files(name).files}
    missing = [path for path in SMALL_FILES if path not in there]
    if missing:
        raise StoreBusyError(
            f"{name}: the hub has not made {' and '.join(missing)} yet. Nothing was written",
            hint=f"Try again in a moment: alectio-agent experiment export {name}. When that does "
            "not help, the hub's log says why it cannot write its results folder.",
            code="E-EXP-14",
        )
    outputs = [file for path, file in there.items() if path.startswith(f"{OUTPUTS}/")]
    return [there[path] for path in SMALL_FILES] + (outputs if with_outputs else [])


def check_free(folder: Path, files: Sequence[ResultsFile]) -> None:
    """Refuse to overwrite.

    Args:
        folder: Where the files would be written.
        files: What would be written.

    Raises:
        UsageError: One of them is there.
    """
    there = [str(folder / file.path) for file in files if (folder / file.path).exists()]
    if there:
        raise UsageError(
            f"{', '.join(there)}: there already. Nothing was written",
            hint="Overwrite: --force. Write elsewhere: --output FOLDER.",
            code="E-EXP-11",
        )


def fetch_files(
    operator: OperationClient,
    name: str,
    files: Sequence[ResultsFile],
    folder: Path,
    progress: Progress,
) -> None:
    """Fetch files beside their places, then put them there.

    Args:
        operator: The hub.
        name: Of the experiment.
        files: What to fetch.
        folder: Made when it is missing.
        progress: Told the bytes that came since it was last told.

    Raises:
        StoreError: The disk refuses.
        PlatformError: The hub does not answer, or one of the files is gone.
    """
    with _disk(folder), _staged(folder) as stage:
        for file in files:
            place = stage / file.path
            place.parent.mkdir(exist_ok=True)
            _fetch(operator, name, file.path, place, progress)
        for file in files:
            (folder / file.path).parent.mkdir(exist_ok=True)
            (stage / file.path).replace(folder / file.path)


def _fetch(
    operator: OperationClient, name: str, path: str, place: Path, progress: Progress
) -> None:
    with place.open("wb") as target:

        def take(chunk: bytes) -> None:
            # A full disk is none of the connection's business, which would call it "no answer".
            with _disk(place):
                target.write(chunk)
            progress(len(chunk))

        operator.fetch_results_file(name, path, take)


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A hidden folder on the same disk; nothing is left of it, nor of `folder` when it is new."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        for each in made:
            with suppress(OSError):  # the export lies in it
                each.rmdir()


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename2 or error.filename or place
        raise StoreError(f"{where}: {error.strerror or error}") from error
