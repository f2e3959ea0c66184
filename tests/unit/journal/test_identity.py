"""Who this installation is."""

from pathlib import Path

import pytest

from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.core.errors import StoreError
from tests.support.disks import MemoryDisk

FOLDER = Path("/state")


def test_an_installation_keeps_its_id_and_counts_its_boots() -> None:
    disk = MemoryDisk()
    first = next_boot(disk, FOLDER)
    disk.cut_power()
    second = next_boot(disk, FOLDER)
    assert second.installation_id == first.installation_id
    assert (first.boot.count, second.boot.count) == (1, 2)
    assert first.boot.id != second.boot.id


def test_a_damaged_identity_is_named_and_not_overwritten() -> None:
    disk = MemoryDisk()
    disk.write(FOLDER / "identity.json", b"{half")
    with pytest.raises(StoreError, match=r"identity\.json"):
        next_boot(disk, FOLDER)
    assert disk.read(FOLDER / "identity.json") == b"{half"
