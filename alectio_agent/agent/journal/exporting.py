"""Writes what waits in an outbox into one file, beside the agent; nothing of it changes."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from alectio_agent.agent.journal.by_hand import Entry, entries
from alectio_agent.agent.journal.export_form import (
    INDEX,
    CarriedFile,
    CarriedMessage,
    Export,
    member_head,
    padding,
    seal,
)
from alectio_agent.agent.journal.history import JOURNAL
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.rows import SCHEMA_NUMBER
from alectio_agent.core.disk_errors import disk_errors
from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import StoreDamagedError, StoreUnavailableError
from alectio_agent.core.sqlite import Row, reading
from alectio_agent.wire.claims import Claim

CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Gathered:
    """What goes into a file.

    Attributes:
        sources: The file of each part, by its name in the archive.
        broken: Results that are left out since their files are not what was written, in words;
            what their attempts would send behind them is left out too.
    """

    claims: list[Claim]
    messages: list[CarriedMessage]
    sources: dict[str, Path] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def waiting_platforms(folder: Path) -> list[str]:
    """The platforms for which something waits, by their ids.

    Args:
        folder: The state folder.

    Raises:
        StoreError: The journal cannot be read.
    """
    with reading(folder / JOURNAL, SCHEMA_NUMBER) as run:
        found = [entry.platform_id for entry in entries(run) if entry.state == "pending"]
    return list(dict.fromkeys(found))


def gather(folder: Path, platform_id: str) -> Gathered:
    """Find what waits for a platform, and read every part once to know that it is whole.

    Args:
        folder: The state folder; its agent may run.
        platform_id: Of the platform.

    Raises:
        StoreError: The journal cannot be read.
    """
    found = Gathered([], [])
    left_out: set[str] = set()
    with reading(folder / JOURNAL, SCHEMA_NUMBER) as run:
        for entry in entries(run):
            if entry.state != "pending" or entry.platform_id != platform_id:
                continue
            if entry.lease in left_out:
                continue
            try:
                _take(found, entry, _body(run, entry), folder / "outbox")
            except StoreDamagedError as error:
                left_out.add(entry.lease)
                found.broken.append(f"{entry.job} {entry.step or entry.kind}: {error.message}")
        leases = dict.fromkeys(message.lease for message in found.messages)
        found.claims.extend(_claim(run, lease) for lease in leases)
    return found


def part_name(lease: str, step: str | None, name: str) -> str:
    """The name of a part in the archive.

    Args:
        lease: Of the attempt.
        step: Of the result.
        name: In the result's folder.
    """
    return f"outbox/{lease}.{step}/{name}"


def write_export(file: Path, index: Export, sources: dict[str, Path]) -> str:
    """Write the file, durably, whole or not at all.

    Args:
        file: Is replaced.
        index: What stands in it.
        sources: From `gather`.

    Returns:
        SHA-256 of the file.

    Raises:
        StoreError: It cannot be written, or a part has changed since it was gathered.
    """
    unfinished = file.with_name(f".{file.name}.tmp")
    with disk_errors(file):
        try:
            opened = os.open(
                unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(opened, "wb") as stream:
                sha256 = _write(stream, index, sources)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(file)
            sync_folder(file.absolute().parent)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
    return sha256


def _write(stream: IO[bytes], index: Export, sources: dict[str, Path]) -> str:
    before, whole = hashlib.sha256(), hashlib.sha256()
    for data in _pieces(index, sources):
        stream.write(data)
        before.update(data)
        whole.update(data)
    end = seal(before.hexdigest())
    stream.write(end)
    whole.update(end)
    return whole.hexdigest()


def _pieces(index: Export, sources: dict[str, Path]) -> Iterator[bytes]:
    text = index.model_dump_json(by_alias=True).encode()
    yield member_head(INDEX, len(text)) + text + padding(len(text))
    for message in index.messages:
        for part in message.files:
            name = part_name(message.lease, message.step, part.name)
            yield member_head(name, part.bytes)
            yield from _content(sources[name], part)
            yield padding(part.bytes)


def _content(file: Path, part: CarriedFile) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while data := stream.read(CHUNK_BYTES):
            digest.update(data)
            size += len(data)
            yield data
    if (digest.hexdigest(), size) != (part.sha256, part.bytes):
        raise StoreDamagedError(f"{file}: changed while it was read")


def _take(found: Gathered, entry: Entry, body: str, outbox: Path) -> None:
    files: list[CarriedFile] = []
    sources: dict[str, Path] = {}
    if entry.kind == "commit":
        try:
            manifest = Manifest.model_validate_json(body)
            parts = zip(manifest.commit.parts, manifest.files, strict=True)
            for part, name in parts:
                file = outbox / f"{entry.lease}.{entry.step}" / name
                _check(file, part.sha256)
                files.append(CarriedFile(name=name, sha256=part.sha256, bytes=part.bytes))
                sources[part_name(entry.lease, entry.step, name)] = file
        except (ValidationError, ValueError) as error:
            raise StoreDamagedError("what the journal holds of it cannot be read") from error
    message = {name: getattr(entry, name) for name in ("key", "kind", "lease", "job", "step")}
    found.messages.append(CarriedMessage(**message, body=body, files=files))
    found.sources.update(sources)


def _check(file: Path, sha256: str) -> None:
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StoreDamagedError(f"{file}: {error.strerror}") from error
    if digest != sha256:
        raise StoreDamagedError(f"{file}: its bytes are no longer those that were written")


def _body(run: Callable[..., list[Row]], entry: Entry) -> str:
    rows = run("SELECT body FROM messages WHERE id = ?", (entry.id,))
    if not rows:
        raise StoreUnavailableError(f"{entry.job}: acknowledged meanwhile. Do the same again")
    return str(rows[0]["body"])


def _claim(run: Callable[..., list[Row]], lease: str) -> Claim:
    [row] = run("SELECT claim FROM jobs WHERE lease = ?", (lease,))
    return Claim.model_validate_json(row["claim"]).without_samples()
