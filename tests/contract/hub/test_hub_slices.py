"""The call that brings parts in slices: a prefix that grows, then the whole part in its place."""

import asyncio
import errno
import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asgi import Exchange
from tests.support.benches import Bench
from tests.support.disks import folders_that_are_synced
from tests.support.part_calls import DIGEST, PART, CutLine, HangingLine, PartCalls

pytestmark = pytest.mark.anyio


@pytest.fixture
def api(tmp_path: Path, bench: Bench) -> Iterator[PartCalls]:
    made = PartCalls(tmp_path, bench)
    yield made
    made.scene.store.close()


def begun(have: int) -> dict[str, bytes]:
    return {f"{DIGEST}-100.begun": PART[:have]}


async def test_slices_in_order_make_a_part(api: PartCalls) -> None:
    assert (await api.put(0, 40)).json == {"status": "accepted", "have": 40}
    assert (await api.put(40, 60, PART[40:50], PART[50:60])).json["have"] == 60
    assert (api.left, api.rows) == (begun(60), 0)
    assert (await api.put(60, 100)).json["have"] == 100
    assert (api.left, api.rows) == ({DIGEST: PART}, 1)


async def test_the_folder_of_a_job_is_durable_with_its_first_part(
    api: PartCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = folders_that_are_synced(monkeypatch)
    await api.put(0, 40)
    assert synced == []
    await api.put(40, 100)
    folder = api.bench.platform.part_path(api.claim.job_id, DIGEST).parent
    assert synced == [folder, folder.parent, folder.parent.parent]


async def test_the_file_is_for_its_owner_only(api: PartCalls) -> None:
    await api.put(0, 40)
    (file,) = api.bench.platform.part_path(api.claim.job_id, DIGEST).parent.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_question_tells_what_is_there_and_changes_nothing(api: PartCalls) -> None:
    assert (await api.ask()).json["have"] == 0
    assert api.left == {}
    await api.put(0, 40)
    assert (await api.ask()).json["have"] == 40
    assert api.left == begun(40)
    await api.put(40, 100)
    assert (await api.ask()).json["have"] == 100


async def test_an_unfinished_part_survives_a_restart(api: PartCalls) -> None:
    await api.put(0, 40)
    api.restart()
    assert (await api.ask()).json["have"] == 40
    assert (await api.put(40, 100)).json["have"] == 100
    assert api.left == {DIGEST: PART}


async def test_a_hub_that_was_killed_before_the_last_step_makes_it(api: PartCalls) -> None:
    """All bytes are in the file; nobody knows yet whether they are the right ones."""
    await api.put(0, 40)
    (file,) = api.bench.platform.part_path(api.claim.job_id, DIGEST).parent.iterdir()
    file.write_bytes(PART)
    api.restart()
    assert (await api.ask()).json["have"] == 100
    assert (api.left, api.rows) == ({DIGEST: PART}, 1)


async def test_a_hub_that_was_killed_before_the_row_writes_it(api: PartCalls) -> None:
    path = api.bench.platform.part_path(api.claim.job_id, DIGEST)
    path.parent.mkdir(parents=True)
    path.write_bytes(PART)
    assert (await api.ask()).json["have"] == 100
    assert api.rows == 1


async def test_bytes_that_a_power_cut_lost_show_in_the_digest(api: PartCalls) -> None:
    await api.put(0, 40)
    (file,) = api.bench.platform.part_path(api.claim.job_id, DIGEST).parent.iterdir()
    file.write_bytes(bytes(40))
    api.restart()
    answer = await api.put(40, 100)
    assert answer.problem == "invalid"
    assert f"expected {DIGEST}" in answer.json["detail"]
    assert (api.left, (await api.ask()).json["have"]) == ({}, 0)


async def test_a_slice_that_overlaps_is_taken_as_far_as_it_is_new(api: PartCalls) -> None:
    await api.put(0, 40)
    assert (await api.put(20, 70)).json["have"] == 70
    assert (await api.put(10, 30)).json["have"] == 70
    assert api.left == begun(70)


async def test_a_slice_behind_a_gap_is_refused_with_what_is_there(api: PartCalls) -> None:
    await api.put(0, 40)
    answer = await api.put(50, 70)
    assert (answer.status, answer.problem) == (409, "parts-missing")
    assert answer.json["missing"] == [{"sha256": DIGEST, "have": 40}]
    assert api.left == begun(40)


async def test_other_bytes_in_an_overlap_are_refused(api: PartCalls) -> None:
    await api.put(0, 40)
    answer = await api.put(20, 60, bytes(40))
    assert answer.problem == "invalid"
    assert "other bytes behind byte 20" in answer.json["detail"]
    assert api.left == begun(40)


async def test_a_whole_part_comes_again_only_with_the_same_bytes(api: PartCalls) -> None:
    await api.put(0, 50)
    await api.put(50, 100)
    assert (await api.put(50, 100)).json["have"] == 100
    assert (await api.put(50, 100, bytes(50))).problem == "invalid"
    assert (api.left, api.rows) == ({DIGEST: PART}, 1)


@pytest.mark.parametrize("kept", [0, 40])
@pytest.mark.parametrize(
    "chunks", [[PART[40:59]], [PART[40:59], b"12"], [b""]], ids=["shorter", "longer", "empty"]
)
async def test_a_body_of_another_length_than_the_range_leaves_nothing_of_it(
    api: PartCalls, chunks: list[bytes], kept: int
) -> None:
    if kept:
        await api.put(0, kept)
    answer = await api.put(kept, kept + 20, *chunks)
    assert answer.problem == "invalid"
    assert "the slice is of 20 bytes" in answer.json["detail"]
    assert api.left == (begun(kept) if kept else {})
    await api.put(kept, 60)
    assert (await api.put(60, 100)).json["have"] == 100, "the digest goes on where the file does"


async def test_a_question_with_a_body_is_refused(api: PartCalls) -> None:
    answer = await api.call("bytes */100", b"x")
    assert (answer.problem, api.left) == ("invalid", {})


async def test_another_total_for_the_same_part_is_refused(api: PartCalls) -> None:
    await api.put(0, 40)
    for answer in (await api.put(40, 60, total=99), await api.ask(101)):
        assert answer.problem == "invalid"
        assert "before it was 100" in answer.json["detail"]
    await api.put(40, 100)
    assert (await api.ask(99)).problem == "invalid"
    assert api.left == {DIGEST: PART}


async def test_a_total_that_nothing_came_with_binds_nobody(api: PartCalls) -> None:
    await api.ask(99)
    assert (await api.put(0, 40)).json["have"] == 40


@pytest.mark.parametrize(
    "header",
    [
        "bytes 0-9",
        "bytes 9-0/100",
        "bytes 0-100/100",
        "bytes 0-0/0",
        "bytes -5/100",
        "bytes 0-9/*",
        "items 0-9/100",
        "bytes 0-99999999999999999999/99999999999999999999",
        "bytes 0-9/1001",
        "bytes */1001",
        "bytes 0-64/100",
        "",
        "bytes 0-9/100, bytes 20-29/100",
    ],
)
async def test_a_range_that_makes_no_sense_is_refused_unread(api: PartCalls, header: str) -> None:
    exchange = Exchange([PART[:10]])
    answer = await api.call(header, exchange=exchange)
    assert answer.problem == "invalid"
    assert "Content-Range" in answer.json["detail"]
    assert (await exchange.receive())["body"] == PART[:10]
    assert api.left == {}


async def test_a_part_of_another_digest_is_dropped_whole(api: PartCalls) -> None:
    await api.put(0, 60)
    answer = await api.put(60, 100, bytes(40))
    assert answer.problem == "invalid"
    assert "The part is dropped" in answer.json["detail"]
    assert (api.left, api.rows) == ({}, 0)
    await api.put(0, 50)
    assert (await api.put(50, 100)).json["have"] == 100


async def test_a_cut_line_keeps_what_came(api: PartCalls) -> None:
    line = CutLine([PART[:20], PART[20:30]])
    with pytest.raises(IndexError):  # nobody is left to answer
        await api.put(0, 60, exchange=line)
    assert api.left == begun(30)
    assert (await api.put(30, 80)).json["have"] == 80
    assert (await api.put(80, 100)).json["have"] == 100


async def test_a_newer_request_wins_over_one_that_hangs(api: PartCalls) -> None:
    line = HangingLine(PART[:20])
    older = asyncio.ensure_future(api.put(0, 60, exchange=line))
    await line.hangs.wait()
    assert (await api.ask()).json["have"] == 20
    assert (await api.put(20, 70)).json["have"] == 70
    line.rest = [bytes(40)]
    line.goes_on.set()
    answer = await older
    assert answer.json["missing"] == [{"sha256": DIGEST, "have": 70}]
    assert api.left == begun(70)


async def test_a_question_stops_nobody(api: PartCalls) -> None:
    line = HangingLine()
    sending = asyncio.ensure_future(api.put(0, 60, exchange=line))
    await line.hangs.wait()
    assert (await api.ask()).json["have"] == 0
    line.rest = [PART[:20], PART[20:60]]
    line.goes_on.set()
    assert (await sending).json["have"] == 60
    assert (await api.put(60, 100)).json["have"] == 100
    assert api.left == {DIGEST: PART}


async def test_a_part_counts_as_whole_only_once_it_was_checked(api: PartCalls) -> None:
    """All bytes are there, but the request that brought them has not ended."""
    await api.put(0, 60)
    line = HangingLine(PART[60:])
    sending = asyncio.ensure_future(api.put(60, 100, exchange=line))
    await line.hangs.wait()
    assert (await api.ask()).json["have"] == 99
    assert (await api.put(99, 100)).json["have"] == 100
    line.rest = [b""]
    line.goes_on.set()
    await sending
    assert (api.left, api.rows) == ({DIGEST: PART}, 1)


async def test_two_that_finish_at_once_finish_one_part(api: PartCalls) -> None:
    await api.put(0, 60)
    answers = await asyncio.gather(api.put(60, 100), api.put(60, 100), api.ask())
    assert 100 in {answer.json.get("have") for answer in answers}
    assert (await api.ask()).json["have"] == 100
    assert api.left == {DIGEST: PART}


async def test_parts_arrive_side_by_side(api: PartCalls) -> None:
    contents = [bytes([number]) * 50 for number in range(20)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for start in (0, 25):
        await asyncio.gather(
            *(
                api.put(start, start + 25, content[start : start + 25], total=50, digest=digest)
                for content, digest in zip(contents, digests, strict=True)
            )
        )
    assert api.left == dict(zip(digests, contents, strict=True))


async def test_a_packed_slice_is_unpacked(api: PartCalls) -> None:
    answer = await api.put(0, 40, gzip.compress(PART[:40]), content_encoding="gzip")
    assert answer.json["have"] == 40
    bomb = gzip.compress(bytes(100_000))
    assert (await api.put(40, 60, bomb, content_encoding="gzip")).problem == "invalid"
    assert api.left == begun(40)


async def test_a_whole_body_takes_the_place_of_slices(api: PartCalls) -> None:
    await api.put(0, 40)
    assert (await api.call(None, PART)).json["have"] == 100
    assert api.left == {DIGEST: PART}
    assert (await api.put(40, 100)).json["have"] == 100


async def test_a_full_disk_is_no_verdict_and_keeps_nothing_of_the_slice(
    api: PartCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.put(0, 40)
    write, left = os.pwrite, [10]

    def fill(file: int, piece: Any, at: int) -> int:
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, piece[: left.pop()], at)

    monkeypatch.setattr(os, "pwrite", fill)
    answer = await api.put(40, 80)
    assert (answer.status, answer.problem) == (503, "about:blank")
    assert api.left == begun(40)
    monkeypatch.undo()
    await api.put(40, 80)
    assert (await api.put(80, 100)).json["have"] == 100


async def test_a_first_slice_on_a_full_disk_leaves_no_file(
    api: PartCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", refuse)
    assert (await api.put(0, 40)).status == 503
    assert api.left == {}


async def test_a_commit_hears_how_much_of_its_parts_is_there(api: PartCalls) -> None:
    await api.put(0, 40)
    part = {"sha256": DIGEST, "bytes": 100, "rows": 16}
    api.agent.commit(api.claim, "train", "test")
    with pytest.raises(Exception, match="1 of 1 parts") as caught:
        api.agent.commit(api.claim, "infer", parts=[part], media_type="application/x-npz")
    assert caught.value.extra["missing"] == [{"sha256": DIGEST, "have": 40}]


async def test_unfinished_parts_are_dropped_when_the_job_closes(api: PartCalls) -> None:
    await api.put(0, 40)
    api.agent.commit(api.claim)
    assert api.left == {}
    assert (await api.put(40, 80)).problem == "job-closed"


async def test_unfinished_parts_of_a_rewound_loop_are_dropped(api: PartCalls) -> None:
    await api.put(0, 40)
    api.bench.rewind()
    assert api.left == {}


async def test_a_rewound_job_that_runs_again_begins_its_parts_anew(api: PartCalls) -> None:
    """It is the same job: what memory knows of its parts must not outlive their files."""
    await api.put(0, 40)
    api.bench.rewind()
    api.bench.settle()
    api.claim = api.agent.start()
    assert (await api.put(40, 80)).json["missing"] == [{"sha256": DIGEST, "have": 0}]


async def test_unfinished_parts_are_shared_by_all_attempts_at_a_job(api: PartCalls) -> None:
    await api.put(0, 40)
    api.agent.fail(api.claim, "interrupted")
    assert (await api.put(40, 80)).problem == "lease-lost"
    api.claim = api.agent.start()
    assert (await api.put(40, 80)).json["have"] == 80


async def test_a_slice_that_is_on_its_way_as_its_job_closes_leaves_nothing(api: PartCalls) -> None:
    line = HangingLine(PART[:20])
    sending = asyncio.ensure_future(api.put(0, 40, exchange=line))
    await line.hangs.wait()
    api.agent.commit(api.claim)
    line.rest = [PART[20:40]]
    line.goes_on.set()
    answer = await sending
    assert (answer.problem, api.left) == ("job-closed", {})


async def test_the_last_slice_of_a_part_whose_job_closed_leaves_nothing(api: PartCalls) -> None:
    await api.put(0, 60)
    line = HangingLine()
    sending = asyncio.ensure_future(api.put(60, 100, exchange=line))
    await line.hangs.wait()
    api.agent.commit(api.claim)
    line.rest = [PART[60:]]
    line.goes_on.set()
    answer = await sending
    assert (answer.problem, api.left, api.rows) == ("job-closed", {}, 0)


async def test_a_slice_that_begins_as_its_job_closes_leaves_nothing(api: PartCalls) -> None:
    line = HangingLine()
    sending = asyncio.ensure_future(api.put(0, 40, exchange=line))
    await line.hangs.wait()
    api.agent.commit(api.claim)
    line.rest = [PART[:40]]
    line.goes_on.set()
    assert ((await sending).problem, api.left) == ("job-closed", {})


class TestARestoredFolder:
    """The files are of another day than the tables."""

    async def test_a_file_that_no_row_tells_of_need_not_come_again(self, api: PartCalls) -> None:
        file = api.bench.platform.part_path(api.claim.job_id, DIGEST)
        file.parent.mkdir(parents=True)
        file.write_bytes(PART)
        assert (await api.ask()).json["have"] == 100
        assert (api.left, api.rows) == ({DIGEST: PART}, 1)

    @pytest.mark.parametrize("cut", [b"", PART[:40], PART + b"more"])
    async def test_a_file_of_another_size_comes_anew(self, api: PartCalls, cut: bytes) -> None:
        """Else the sender would hear that it has the size of its own part wrong."""
        await api.put(0, 40)
        await api.put(40, 100)
        api.restart()
        api.bench.platform.part_path(api.claim.job_id, DIGEST).write_bytes(cut)
        assert (await api.ask()).json["have"] == 0
        assert api.left == {}
        await api.put(0, 40)
        assert (await api.put(40, 100)).json["have"] == 100
        assert (api.left, api.rows) == ({DIGEST: PART}, 1)

    async def test_a_sound_file_is_kept_whatever_size_a_sender_names(self, api: PartCalls) -> None:
        await api.put(0, 40)
        await api.put(40, 100)
        api.restart()
        answer = await api.ask(total=120)
        assert answer.problem == "invalid"
        assert api.left == {DIGEST: PART}


async def test_bytes_that_could_not_be_synced_come_again(
    api: PartCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may forget that it could not write them, and say the next time that it did."""
    await api.put(0, 40)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", _refuse)
        assert (await api.put(40, 100)).status == 503
    assert api.left == {}
    assert (await api.ask()).json["have"] == 0


def _refuse(_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")
