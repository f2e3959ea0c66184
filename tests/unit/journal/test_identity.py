"""Who this installation is."""

from pathlib import Path

import pytest

from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.core.errors import StoreError, StoreVersionError
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


def test_the_key_of_digests_is_made_once_and_kept() -> None:
    disk = MemoryDisk()
    first = next_boot(disk, FOLDER)
    assert next_boot(disk, FOLDER).digest_key == first.digest_key
    assert next_boot(MemoryDisk(), FOLDER).digest_key != first.digest_key
    assert first.digest_key not in repr(first)


def test_an_older_identity_gets_a_key_of_digests() -> None:
    disk = MemoryDisk()
    old = b'{"installation_id": "i1", "boot": {"count": 4, "id": "b"}, "schema_number": 1}'
    disk.write(FOLDER / "identity.json", old)
    made = next_boot(disk, FOLDER)
    assert (made.installation_id, made.boot.count, len(made.digest_key)) == ("i1", 5, 64)
    assert next_boot(disk, FOLDER).digest_key == made.digest_key


def test_an_identity_of_a_newer_version_is_refused_whatever_else_it_holds() -> None:
    disk = MemoryDisk()
    disk.write(FOLDER / "identity.json", b'{"schema_number": 2, "who": "me"}')
    with pytest.raises(StoreVersionError, match="schema 2") as caught:
        next_boot(disk, FOLDER)
    assert caught.value.exit_code == 78
    assert disk.read(FOLDER / "identity.json") == b'{"schema_number": 2, "who": "me"}'
