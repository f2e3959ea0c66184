"""Results on disk: a folder each, complete when its manifest has been renamed into place."""

from collections.abc import Sequence
from functools import cached_property
from itertools import count
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from alectio_agent.agent.journal.disk import Disk
from alectio_agent.agent.journal.origin import Origin
from alectio_agent.core.errors import StoreDamagedError, StoreError, StoreVersionError
from alectio_agent.core.log import printable
from alectio_agent.wire.claims import Step
from alectio_agent.wire.results import StepCommit
from alectio_agent.wire.strict_json import JsonRuleError, loads

SCHEMA = 1
MANIFEST = "manifest.json"
ASIDE = ".damaged-"


class Manifest(BaseModel):
    """What a result folder holds.

    Attributes:
        job: `experiment/loop`.
        commit: What is sent, with the idempotency key.
        files: File name of each part, in the order of `commit.parts`.
        origin: The attempt; None in a file of an earlier version.
    """

    model_config = ConfigDict(frozen=True, cache_strings="keys")  # as on the wire

    platform_id: str
    job: str
    job_id: str
    lease: str
    step: Step
    commit: StepCommit
    files: list[str] = []
    origin: Origin | None = None
    schema_number: int = SCHEMA

    @cached_property
    def text(self) -> str:
        """As JSON: the file and the row in the journal hold the same."""
        return self.model_dump_json(by_alias=True)


class Outbox:
    """The folder of result folders."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        """Make the folder when it is not there.

        Args:
            disk: Where it lies.
            folder: `<state_dir>/outbox`.
        """
        self._disk = disk
        self._folder = folder
        disk.make_folder(folder)

    def open_result(self, lease: str, step: str) -> Path:
        """An empty folder for the result of a step; what an earlier try left is removed.

        Args:
            lease: Of the attempt.
            step: Name of the step.

        Returns:
            The folder.
        """
        folder = self.result_folder(lease, step)
        self._disk.remove(folder)
        self._disk.make_folder(folder, is_synced=False)  # `complete` does
        return folder

    def result_folder(self, lease: str, step: str) -> Path:
        """Where the result of a step lies."""
        return self._folder / f"{lease}.{step}"

    def complete(self, manifest: Manifest) -> None:
        """Declare a result complete, durably: from here on it is never lost.

        Args:
            manifest: Its files lie in the folder and are synced already.
        """
        folder = self.result_folder(manifest.lease, manifest.step)
        self._disk.write(folder / MANIFEST, manifest.text.encode())
        # Last: by now a journalling file system has written this name too.
        self._disk.sync_folder(self._folder)

    def secure(self, manifests: Sequence[Manifest]) -> None:
        """Make results durable that were found: who wrote them may have died on the way to that.

        Args:
            manifests: Complete results.
        """
        for manifest in manifests:
            self._disk.sync_folder(self.result_folder(manifest.lease, manifest.step))
        if manifests:
            self._disk.sync_folder(self._folder)

    def read(self, folder: Path) -> Manifest | None:
        """The manifest of a result folder.

        Args:
            folder: Inside the outbox.

        Returns:
            None when the result never became complete.

        Raises:
            StoreDamagedError: It is no manifest, or that of another result.
            StoreVersionError: A newer version wrote it.
            StoreError: It may not be read.
        """
        file = folder / MANIFEST
        try:
            content = self._disk.read(file)
        except StoreError as error:
            if isinstance(error.__cause__, PermissionError):
                raise
            raise StoreDamagedError(error.message) from error
        if content is None:
            return None
        manifest = _parse(file, content)
        if folder != self.result_folder(manifest.lease, manifest.step):
            raise StoreDamagedError(f"{file}: the manifest of another result")
        return manifest

    def mend(self, lease: str, step: str, text: str) -> None:
        """Write a damaged manifest anew, from what the journal holds of it.

        Args:
            lease: Of the attempt.
            step: Name of the step.
            text: Its content.
        """
        self._disk.write(self.result_folder(lease, step) / MANIFEST, text.encode())

    def set_aside(self, folder: Path) -> Path:
        """Move a result that cannot be used out of the way; nothing of it is removed.

        Args:
            folder: Of the result.

        Returns:
            Where it is now: beside the others, under a name that is nobody's.
        """
        taken = set(self.folders())
        names = (f"{folder.name}{ASIDE}{number}" for number in count(1))
        target = next(found for name in names if (found := folder.with_name(name)) not in taken)
        self._disk.move(folder, target)
        return target

    def is_set_aside(self, folder: Path) -> bool:
        """Whether a folder was moved out of the way."""
        return ASIDE in folder.name

    def folders(self) -> list[Path]:
        """All result folders."""
        return self._disk.folders(self._folder)

    def remove(self, lease: str, step: str) -> None:
        """Remove one result with its files.

        The manifest goes first: cut short, that leaves no result whose files are missing.
        """
        folder = self.result_folder(lease, step)
        self._disk.remove(folder / MANIFEST)
        self._disk.remove(folder)

    def size_of(self, folder: Path) -> int:
        """Bytes that a result takes of the disk."""
        return self._disk.size_of(folder)

    def free_bytes(self) -> int | None:
        """Bytes that are free on its disk; None when that is not known."""
        return self._disk.free_bytes(self._folder)

    def sync(self) -> None:
        """Make durable that results are no longer there: then their jobs may be forgotten."""
        self._disk.sync_folder(self._folder)


def _parse(file: Path, content: bytes) -> Manifest:
    try:
        found = loads(content)
        number = found.get("schema_number", SCHEMA) if isinstance(found, dict) else SCHEMA
        if isinstance(number, int) and number > SCHEMA:  # whatever else it holds by then
            raise StoreVersionError(
                f"{file}: written by a newer version", hint="Install that version again."
            )
        return Manifest.model_validate(found)
    except (JsonRuleError, ValidationError) as error:
        raise StoreDamagedError(f"{file}: damaged ({printable(error)})") from error
