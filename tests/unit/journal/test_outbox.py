"""Results on disk."""

import json
from pathlib import Path

import pytest

from alectio_agent.agent.journal.outbox import MANIFEST, Outbox
from alectio_agent.core.errors import StoreDamagedError, StoreError, StoreVersionError
from tests.support.claims import make_claim, make_manifest
from tests.support.disks import MemoryDisk

FOLDER = Path("/state/outbox")


def test_a_complete_result_survives_a_power_cut() -> None:
    disk = MemoryDisk()
    outbox = Outbox(disk, FOLDER)
    folder = outbox.open_result("lease-1", "train")
    outbox.complete(make_manifest(make_claim(), "train"))
    disk.cut_power()
    assert outbox.read(folder) == make_manifest(make_claim(), "train")


def test_a_result_without_manifest_is_incomplete() -> None:
    outbox = Outbox(MemoryDisk(), FOLDER)
    assert outbox.read(outbox.open_result("lease-1", "train")) is None


def test_what_an_earlier_try_left_is_removed_before_a_step_runs_again() -> None:
    disk = MemoryDisk()
    outbox = Outbox(disk, FOLDER)
    folder = outbox.open_result("lease-1", "infer")
    disk.write(folder / "part-0.npz", b"old")
    outbox.open_result("lease-1", "infer")
    assert disk.read(folder / "part-0.npz") is None


def test_a_damaged_manifest_is_named() -> None:
    disk = MemoryDisk()
    outbox = Outbox(disk, FOLDER)
    folder = outbox.open_result("lease-1", "train")
    disk.write(folder / MANIFEST, b"{}")
    with pytest.raises(StoreError, match=r"lease-1\.train"):
        outbox.read(folder)


def test_a_manifest_of_an_earlier_version_is_read() -> None:
    """It did not say where its result comes from."""
    disk = MemoryDisk()
    outbox = Outbox(disk, FOLDER)
    folder = outbox.open_result("lease-1", "train")
    old = make_manifest(make_claim(), "train").model_dump(mode="json", by_alias=True)
    del old["origin"]
    disk.write(folder / MANIFEST, json.dumps(old).encode())
    assert outbox.read(folder) == make_manifest(make_claim(), "train")


def test_what_may_not_be_read_is_no_damage() -> None:
    """Whoever gives the permission back gets the result back."""

    class Forbidding(MemoryDisk):
        def read(self, file: Path) -> bytes | None:
            raise StoreError(f"{file}: Permission denied") from PermissionError(13, "no")

    outbox = Outbox(Forbidding(), FOLDER)
    with pytest.raises(StoreError, match="Permission") as caught:
        outbox.read(FOLDER / "lease-1.train")
    assert not isinstance(caught.value, StoreDamagedError)


def test_what_cannot_be_read_is_damage() -> None:
    class Failing(MemoryDisk):
        def read(self, file: Path) -> bytes | None:
            raise StoreError(f"{file}: Input/output error") from OSError(5, "Input/output error")

    with pytest.raises(StoreDamagedError, match="Input/output"):
        Outbox(Failing(), FOLDER).read(FOLDER / "lease-1.train")


def test_a_manifest_of_a_newer_version_is_refused() -> None:
    disk = MemoryDisk()
    outbox = Outbox(disk, FOLDER)
    folder = outbox.open_result("lease-1", "train")
    newer = make_manifest(make_claim(), "train").model_copy(update={"schema_number": 2})
    disk.write(folder / MANIFEST, newer.model_dump_json(by_alias=True).encode())
    with pytest.raises(StoreVersionError):
        outbox.read(folder)
