"""Reads what was carried here: results, or a receipt; refused whole when a bit differs."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from alectio_agent.agent.journal.export_form import (
    INDEX,
    SCHEMA,
    SEAL,
    SEAL_BYTES,
    CarriedFile,
    Export,
    Receipt,
    seal,
    seal_of,
)
from alectio_agent.agent.journal.exporting import CHUNK_BYTES, part_name
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.core.disk_errors import disk_errors
from alectio_agent.core.errors import StoreVersionError, UsageError
from alectio_agent.core.log import printable
from alectio_agent.core.units import count
from alectio_agent.wire.results import JobFailure

LARGEST_INDEX = 2**30
LARGEST_RECEIPT = 2**26
AGAIN = "Carry it once more. Nothing of it was used."


def is_receipt(file: Path) -> bool:
    """Whether a file looks like a receipt rather than like results.

    Args:
        file: Any.
    """
    with disk_errors(file), file.open("rb") as stream:
        return stream.read(1) == b"{"


def read_receipt(file: Path) -> Receipt:
    """Read a receipt.

    Args:
        file: Its path.

    Raises:
        UsageError: It is none, or was changed or cut.
        StoreVersionError: A newer version wrote it.
    """
    with disk_errors(file), file.open("rb") as stream:
        content = stream.read(LARGEST_RECEIPT)
    try:
        found = json.loads(content)
        _check_version(file, found.get("body"))
        receipt = Receipt.model_validate(found)
    except (ValueError, AttributeError) as error:
        raise _refused(file, f"no receipt: {printable(_first(error))}") from error
    if receipt.sha256 != seal_of(receipt.body):
        raise _refused(file, "its digest is another one")
    return receipt


def unpack_export(file: Path, target: Path) -> tuple[Export, str]:
    """Check a file of results, then lay out its parts as they lay in the outbox.

    Args:
        file: Its path.
        target: An empty folder; what is in it is of no use when this raises.

    Returns:
        What stands in the file, and the SHA-256 of the whole of it.

    Raises:
        UsageError: It is no such file, or was changed or cut.
        StoreVersionError: A newer version wrote it.
        StoreError: It cannot be read, or the parts cannot be written.
    """
    with disk_errors(file), file.open("rb") as stream:
        sha256 = _check_seal(file, stream)
        stream.seek(0)
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                return _unpack(file, archive, target), sha256
        except (tarfile.TarError, ValidationError, ValueError, KeyError) as error:
            raise _refused(file, printable(_first(error))) from error


def _check_seal(file: Path, stream: IO[bytes]) -> str:
    """The digest of the whole file, once its end has proved all that is before it."""
    left = file.stat().st_size - SEAL_BYTES
    before, whole = hashlib.sha256(), hashlib.sha256()
    while left > 0:
        data = stream.read(min(CHUNK_BYTES, left))
        if not data:
            break
        before.update(data)
        whole.update(data)
        left -= len(data)
    end = stream.read(SEAL_BYTES + 1)
    if left != 0 or end != seal(before.hexdigest()):
        raise _refused(file, "no results of an agent, or changed or cut on its way")
    whole.update(end)
    return whole.hexdigest()


def _unpack(file: Path, archive: tarfile.TarFile, target: Path) -> Export:
    first = archive.next()
    if first is None or first.name != INDEX or first.size > LARGEST_INDEX:
        raise _refused(file, f"found no {INDEX} at its beginning")
    index = json.loads(_read(archive, first))
    _check_version(file, index)
    export = Export.model_validate(index)
    _check_bodies(file, export)
    expected = {
        part_name(message.lease, message.step, part.name): part
        for message in export.messages
        for part in message.files
    }
    while (member := archive.next()) is not None and member.name != SEAL:
        part = expected.pop(member.name, None)
        if part is None or not member.isfile():
            raise _refused(file, f"found {printable(member.name)}, which nothing in it names")
        _lay_out(file, archive, member, part, target)
    if expected:
        raise _refused(file, f"lacks {count(len(expected), 'part')}")
    return export


def _lay_out(
    file: Path, archive: tarfile.TarFile, member: tarfile.TarInfo, part: CarriedFile, target: Path
) -> None:
    goal, digest = target / member.name, hashlib.sha256()
    goal.parent.mkdir(parents=True, exist_ok=True)
    stream = archive.extractfile(member)
    assert stream is not None  # noqa: S101 - a file has content
    with goal.open("wb") as written:
        while data := stream.read(CHUNK_BYTES):
            digest.update(data)
            written.write(data)
    if digest.hexdigest() != part.sha256 or member.size != part.bytes:
        raise _refused(file, f"{member.name} is another file than its result names")


def _check_bodies(file: Path, export: Export) -> None:
    """What is sent must be what the index says that it is."""
    leases = {claim.lease for claim in export.claims}
    for message in export.messages:
        if message.kind == "fail":
            is_right = JobFailure.model_validate_json(message.body).key == message.key
        else:
            manifest = Manifest.model_validate_json(message.body)
            named = (manifest.commit.key, manifest.lease, manifest.step, manifest.platform_id)
            is_right = named == (message.key, message.lease, message.step, export.platform_id)
            parts = [(part.sha256, part.bytes) for part in manifest.commit.parts]
            is_right &= parts == [(part.sha256, part.bytes) for part in message.files]
            is_right &= manifest.files == [part.name for part in message.files]
        if not is_right or message.lease not in leases:
            raise _refused(file, f"what it says of {printable(message.job)} does not fit together")


def _check_version(file: Path, index: object) -> None:
    number = index.get("schema_number") if isinstance(index, dict) else None
    if isinstance(number, int) and number > SCHEMA:
        raise StoreVersionError(
            f"{file}: written by a newer version", hint="Install that version here as well."
        )


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return b"" if stream is None else stream.read()


def _first(error: Exception) -> str:
    """What was wrong, without a whole tree of it."""
    if isinstance(error, ValidationError):
        wrong = error.errors()[0]
        return f"{'.'.join(str(part) for part in wrong['loc'])}: {wrong['msg']}"
    return str(error)


def _refused(file: Path, why: str) -> UsageError:
    return UsageError(f"{file}: refused whole: {why}", hint=AGAIN, code="E-OUT-01")
