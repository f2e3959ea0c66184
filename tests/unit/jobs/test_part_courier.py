"""Parts on their way: order, slices, cuts, refusals, and what is asked after a restart."""

import hashlib
from pathlib import Path

import pytest

from alectio_agent.agent.client.endpoints import PartKey
from alectio_agent.agent.client.file_slice import FileSlice
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.part_queue import OutPart
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.core.errors import (
    LeaseLostError,
    PlatformRejectedError,
    PlatformUnavailableError,
)
from tests.support.claims import make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk
from tests.support.part_platforms import PartPlatform

KIB, MIB = 2**10, 2**20
CLAIM = make_claim()


class Bench:
    """A courier whose workers turn when a test says so."""

    def __init__(self, folder: Path, byte_s: float = 0.0) -> None:
        self.folder = folder / f"{CLAIM.lease}.infer"
        self.folder.mkdir(exist_ok=True)
        self.clock = FakeClock()
        self.platform = PartPlatform(self.clock, byte_s)
        self.parts: list[OutPart] = []
        self.start()

    def start(self) -> None:
        """A new life: only files are left of the one before."""
        self.courier = PartCourier(
            self.platform, Outbox(MemoryDisk(), self.folder.parent), self.clock
        )
        self.told = 0
        self.courier.on_landed = self._tell

    def write(self, *sizes: int) -> None:
        for size in sizes:
            number = len(self.parts)
            content = bytes([number]) * size
            file = self.folder / f"part-{number}.npz"
            file.write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            self.parts.append(OutPart(CLAIM.job_id, CLAIM.lease, sha256, file, size))

    def offer(self) -> None:
        for part in self.parts:
            self.courier.offer(part)

    def want(self) -> bool:
        return self.courier.want(self.manifest)

    @property
    def manifest(self) -> Manifest:
        parts = [{"sha256": p.sha256, "bytes": p.size_bytes, "rows": 1} for p in self.parts]
        files = [part.file.name for part in self.parts]
        return make_manifest(CLAIM, "infer", parts=parts, files=files)

    def work(self) -> None:
        """One worker sends all that waits."""
        while not self.courier.workers[0].step():
            pass

    def calls(self, *kinds: str) -> list[tuple]:
        """Calls of some kinds, without digests."""
        return [(c[0], *c[2:]) for c in self.platform.calls if not kinds or c[0] in kinds]

    def _tell(self) -> None:
        self.told += 1


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class TestOrder:
    def test_parts_leave_before_their_commit_is_there(self, bench: Bench) -> None:
        bench.write(100, 200)
        bench.offer()
        bench.work()
        assert bench.calls() == [("whole", 100), ("whole", 200)]
        assert bench.want(), "nothing is left to wait for"
        assert len(bench.calls()) == 2

    def test_a_commit_waits_for_what_is_in_flight_and_is_told_once(self, bench: Bench) -> None:
        bench.write(100, 200)
        bench.offer()
        assert not bench.want()
        bench.work()
        assert bench.told == 1
        assert bench.want()

    def test_nobody_is_told_of_early_parts(self, bench: Bench) -> None:
        bench.write(100)
        bench.offer()
        bench.work()
        assert bench.told == 0

    def test_a_worker_is_called_for_each_part_that_waits(self, bench: Bench) -> None:
        called: list[object] = []
        bench.courier.on_work = called.append
        bench.write(100)
        bench.offer()
        assert called == [bench.courier.workers[0]]
        bench.write(1, 1, 1, 1)
        bench.want()
        assert set(called) == set(bench.courier.workers)

    def test_equal_files_are_one_part(self, bench: Bench) -> None:
        bench.write(100)
        bench.parts *= 2
        assert not bench.want()
        bench.work()
        assert len(bench.calls()) == 1
        assert bench.want()


class TestSlices:
    def test_a_part_that_fits_one_slice_goes_whole(self, bench: Bench) -> None:
        bench.write(4 * MIB)
        bench.offer()
        bench.work()
        assert bench.calls() == [("whole", 4 * MIB)]

    def test_a_larger_part_goes_in_slices_one_after_the_other(self, bench: Bench) -> None:
        bench.write(9 * MIB)
        bench.offer()
        bench.work()
        assert bench.calls() == [
            ("slice", 0, 4 * MIB),
            ("slice", 4 * MIB, 8 * MIB),
            ("slice", 8 * MIB, 9 * MIB),
        ]

    def test_any_413_halves_the_slices_at_once(self, bench: Bench) -> None:
        """A proxy that limits bodies to 100 KB."""
        bench.platform.limit_bytes = 100_000
        bench.write(200 * KIB)
        bench.offer()
        bench.work()
        assert bench.want()
        assert bench.calls() == [
            ("whole", 200 * KIB),
            ("slice", 0, 100 * KIB),
            ("slice", 0, 64 * KIB),
            ("slice", 64 * KIB, 128 * KIB),
            ("slice", 128 * KIB, 192 * KIB),
            ("slice", 192 * KIB, 200 * KIB),
        ]

    def test_a_proxy_that_takes_not_even_the_smallest_is_no_answer(self, bench: Bench) -> None:
        bench.platform.limit_bytes = 1000
        bench.write(200 * KIB)
        bench.want()
        bench.work()
        with pytest.raises(PlatformUnavailableError):
            bench.want()

    def test_a_gap_is_mended_from_where_the_platform_has_it(self, bench: Bench) -> None:
        bench.write(9 * MIB)
        bench.offer()
        put = bench.platform.put_slice

        def lose_once(part: PartKey, piece: FileSlice, total: int) -> int:
            """A hub that was restored from a backup between two slices."""
            bench.platform.put_slice = put
            have = put(part, piece, total)
            bench.platform.begun.clear()
            return have

        bench.platform.put_slice = lose_once
        bench.work()
        assert bench.calls()[1:3] == [("slice", 4 * MIB, 8 * MIB), ("slice", 0, 4 * MIB)]
        assert bench.want()


class TestCuts:
    def test_after_a_cut_only_what_is_missing_goes(self, bench: Bench) -> None:
        bench.write(9 * MIB)
        bench.platform.cut_after = 2
        bench.want()
        bench.work()
        with pytest.raises(PlatformUnavailableError):
            bench.want()
        bench.platform.calls.clear()
        assert not bench.want()
        bench.work()
        assert bench.calls()[:2] == [("ask",), ("slice", 8 * MIB, 9 * MIB)]
        assert bench.want()

    def test_after_a_restart_only_what_is_missing_goes(self, bench: Bench) -> None:
        bench.write(9 * MIB, 100, 300 * KIB)
        bench.platform.cut_after = 1
        bench.offer()
        bench.work()
        bench.start()
        bench.platform.calls.clear()
        bench.want()
        bench.work()
        assert bench.calls()[:2] == [("ask",), ("slice", 4 * MIB, 8 * MIB)]
        assert ("whole", 100) in bench.calls(), "asking would cost as much"
        assert bench.want()

    def test_a_part_that_is_there_is_not_sent_again(self, bench: Bench) -> None:
        bench.write(300 * KIB)
        bench.offer()
        bench.work()
        bench.start()
        bench.platform.calls.clear()
        bench.want()
        bench.work()
        assert bench.calls() == [("ask",)]
        assert bench.want()

    def test_after_a_failure_the_others_wait_until_they_are_wanted_again(
        self, bench: Bench
    ) -> None:
        bench.write(100, 200, 300)
        bench.platform.cut_after = 0
        bench.want()
        bench.work()
        assert bench.calls() == [("whole", 100)]
        assert bench.told == 1

    def test_one_cut_of_several_in_flight_is_one_failure(self, bench: Bench) -> None:
        bench.write(100, 200)
        bench.want()
        queue = bench.courier._queue
        taken = [queue.take(), queue.take()]
        cut = PlatformUnavailableError("cut")
        assert not queue.land(taken[0], cut), "the other one is still in flight"
        assert not bench.want()
        assert queue.land(taken[1], cut)
        with pytest.raises(PlatformUnavailableError):
            bench.want()
        assert not bench.want(), "and then both go again"
        assert queue.in_hand == 2

    def test_an_early_part_that_fails_fails_nothing(self, bench: Bench) -> None:
        bench.write(100)
        bench.platform.cut_after = 0
        bench.offer()
        bench.work()
        assert not bench.want()
        bench.work()
        assert bench.want()


class TestRefusals:
    def test_a_lost_lease_reaches_who_waits(self, bench: Bench) -> None:
        bench.write(100, 200)
        bench.platform.refusals.append(LeaseLostError("another counted"))
        bench.want()
        bench.work()
        with pytest.raises(LeaseLostError):
            bench.want()

    def test_a_forgotten_attempt_sends_no_further_slice(self, bench: Bench) -> None:
        bench.write(9 * MIB, 100)
        bench.offer()
        put = bench.platform.put_slice

        def lose(*told) -> int:
            bench.courier.forget(CLAIM.lease)
            return put(*told)

        bench.platform.put_slice = lose
        bench.work()
        assert bench.calls() == [("slice", 0, 4 * MIB)]

    def test_a_file_that_changed_on_this_disk_is_refused_for_good(self, bench: Bench) -> None:
        bench.write(100)
        bench.parts[0].file.write_bytes(b"x" * 100)
        bench.want()
        bench.work()
        with pytest.raises(PlatformRejectedError, match="broken on the agent's disk") as refused:
            bench.want()
        assert refused.value.problem == "invalid"

    @pytest.mark.parametrize("is_gone", [True, False])
    def test_a_file_that_was_cut_or_removed_is_refused_for_good(
        self, bench: Bench, is_gone: bool
    ) -> None:
        bench.write(100)
        if is_gone:
            bench.parts[0].file.unlink()
        else:
            bench.parts[0].file.write_bytes(b"x")
        bench.want()
        bench.work()
        with pytest.raises(PlatformRejectedError, match="broken"):
            bench.want()

    def test_a_sound_part_that_was_refused_begins_anew_with_back_off(self, bench: Bench) -> None:
        bench.write(100 * KIB)
        bench.platform.refusals.append(PlatformRejectedError("bits", problem="invalid"))
        bench.want()
        bench.work()
        with pytest.raises(PlatformUnavailableError, match="refused, though it is sound"):
            bench.want()
        bench.want()
        bench.work()
        assert bench.want()

    def test_missed_parts_go_on_from_what_is_there(self, bench: Bench) -> None:
        bench.write(9 * MIB, 100)
        bench.offer()
        bench.work()
        large = bench.parts[0].sha256
        bench.platform.begun[large] = bench.platform.begun[large][: 8 * MIB]
        bench.platform.calls.clear()
        missing = [{"sha256": large, "have": 8 * MIB}]
        error = PlatformRejectedError("gone", problem="parts-missing", detail={"missing": missing})
        bench.courier.mark_missing(CLAIM.lease, error)
        assert not bench.want()
        bench.work()
        assert bench.calls() == [("slice", 8 * MIB, 9 * MIB)]

    def test_a_platform_that_does_not_say_what_it_misses_is_asked(self, bench: Bench) -> None:
        bench.write(300 * KIB)
        bench.offer()
        bench.work()
        bench.platform.begun.clear()
        bench.platform.calls.clear()
        error = PlatformRejectedError("gone", problem="parts-missing", detail={"missing": 3})
        bench.courier.mark_missing(CLAIM.lease, error)
        bench.want()
        bench.work()
        assert bench.calls() == [("ask",), ("whole", 300 * KIB)]
