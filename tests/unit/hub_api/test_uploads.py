"""Parts: in place under their digest, or not at all."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect

from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.api.uploads import drop_unfinished, store_part
from tests.support.disks import folders_that_are_synced

pytestmark = pytest.mark.anyio

PART = b"some rows"
DIGEST = hashlib.sha256(PART).hexdigest()


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def cut_short() -> AsyncIterator[bytes]:
    yield PART[:3]
    raise ClientDisconnect


async def test_a_part_is_in_place_with_its_bytes_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "job" / DIGEST
    stored = await store_part(pieces(b"some ", b"rows"), path, DIGEST)
    assert stored.size_bytes == len(PART)
    assert path.read_bytes() == PART
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == [DIGEST]


async def test_the_folder_of_a_job_is_durable_with_its_first_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = folders_that_are_synced(monkeypatch)
    folder = tmp_path / "parts" / "job"
    await store_part(pieces(PART), folder / DIGEST, DIGEST)
    assert synced == [folder, folder.parent, tmp_path]
    await store_part(pieces(PART), folder / DIGEST, DIGEST)
    assert synced[3:] == [folder]


async def test_a_part_with_another_digest_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=f"expected {DIGEST}") as caught:
        await store_part(pieces(b"other rows"), tmp_path / DIGEST, DIGEST)
    assert caught.value.problem == "invalid"
    assert list(tmp_path.iterdir()) == []


async def test_an_empty_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="empty"):
        await store_part(pieces(), tmp_path / DIGEST, DIGEST)


async def test_a_line_that_is_cut_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ClientDisconnect):
        await store_part(cut_short(), tmp_path / DIGEST, DIGEST)
    assert list(tmp_path.iterdir()) == []


async def test_a_part_that_comes_again_takes_the_place_of_its_twin(tmp_path: Path) -> None:
    path = tmp_path / DIGEST
    await store_part(pieces(PART), path, DIGEST)
    await store_part(pieces(PART), path, DIGEST)
    assert path.read_bytes() == PART


async def test_a_wrong_part_does_not_harm_the_good_one(tmp_path: Path) -> None:
    path = tmp_path / DIGEST
    await store_part(pieces(PART), path, DIGEST)
    with pytest.raises(ProblemError):
        await store_part(pieces(b"wrong"), path, DIGEST)
    assert path.read_bytes() == PART


async def test_a_disk_that_refuses_is_an_error_of_the_store(tmp_path: Path) -> None:
    """Callers then try again, instead of taking it for a verdict."""
    (tmp_path / "job").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="job"):
        await store_part(pieces(PART), tmp_path / "job" / DIGEST, DIGEST)


async def test_what_a_killed_hub_left_half_written_is_dropped(tmp_path: Path) -> None:
    half = tmp_path / "job" / ".0123-4567.arriving"
    whole = tmp_path / "job" / DIGEST
    half.parent.mkdir()
    half.write_bytes(b"so")
    whole.write_bytes(PART)
    assert drop_unfinished(tmp_path) == 1
    assert not half.exists()
    assert whole.exists()
