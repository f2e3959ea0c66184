"""What may go goes: by age, by size, and for room."""

import logging
from pathlib import Path

import pytest

from alectio_agent.agent.jobs.keeper import LOOK_S, Keeper, KeepRules
from alectio_agent.agent.jobs.log_keeper import LogKeeper, LogRules
from alectio_agent.agent.jobs.recovery import reconcile
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import MANIFEST, Outbox
from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.core.errors import StoreFailingError
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk, refusing

DAY_S = 86400.0
KIB = 1024


class Bench:
    """A keeper whose results lie in memory: each takes 10 KiB and its manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.disk = MemoryDisk()
        self.journal = Journal(folder / "agent.db", self.clock)
        self.outbox = Outbox(self.disk, folder / "outbox")
        self.start()

    def start(self, **changed) -> None:
        rules = {"keep_sent_s": 7 * DAY_S, "max_bytes": 2**40, "min_free_bytes": 0, **changed}
        logs = LogKeeper(self.folder, self.folder, LogRules(DAY_S, 2**30), self.clock)
        self.keeper = Keeper(
            self.journal,
            self.outbox,
            Reserve(self.folder),
            logs,
            KeepRules(**rules),
            self.clock,
        )

    def compute(self, number: int, *, accepted: bool = True) -> None:
        """A job with one result."""
        claim = make_claim(job=f"digits/{number}", lease=f"lease-{number}")
        self.journal.put_claim("boot-1", number, claim, PLATFORM)
        manifest = make_manifest(claim, "train", key=f"key-{number}")
        folder = self.outbox.open_result(claim.lease, "train")
        self.disk.write(folder / "part-00000.npz", bytes(10 * KIB))
        self.outbox.complete(manifest)
        self.journal.put_commit(manifest, is_last=True)
        while accepted and (message := self.journal.next_message(PLATFORM)):
            self.journal.settle(message)
        self.clock.advance(1)

    def look(self) -> list[str]:
        """A turn a while later; gives the results that are left."""
        self.clock.advance(LOOK_S)
        self.keeper.step()
        return [folder.name.partition(".")[0] for folder in self.outbox.folders()]


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.journal.close()


class TestAge:
    def test_results_stay_for_a_week_after_the_acknowledgement(self, bench: Bench) -> None:
        bench.compute(1)
        bench.clock.advance(6.9 * DAY_S)
        assert bench.look() == ["lease-1"]
        bench.clock.advance(0.2 * DAY_S)
        assert bench.look() == []

    def test_what_was_not_acknowledged_stays_for_ever(self, bench: Bench) -> None:
        bench.compute(1, accepted=False)
        bench.clock.advance(1000 * DAY_S)
        assert bench.look() == ["lease-1"]

    def test_a_look_is_taken_once_a_minute_however_often_it_is_woken(self, bench: Bench) -> None:
        bench.look()
        bench.compute(1)
        bench.clock.advance(7 * DAY_S)
        bench.keeper._look_at_s = bench.clock.monotonic() + 1
        bench.keeper.step()
        assert len(bench.outbox.folders()) == 1
        bench.clock.advance(1)
        bench.keeper.step()
        assert bench.outbox.folders() == []

    def test_nothing_is_kept_where_nothing_is_to_be_kept(self, bench: Bench) -> None:
        bench.start(keep_sent_s=0.0)
        for number in (1, 2):
            bench.compute(number)
            bench.keeper.step()
            assert bench.outbox.folders() == []


class TestSize:
    def test_the_longest_acknowledged_go_first(self, bench: Bench) -> None:
        bench.start(max_bytes=25 * KIB)
        for number in (1, 2, 3):
            bench.compute(number)
        assert bench.look() == ["lease-2", "lease-3"]
        assert bench.keeper.reason() == ""

    def test_what_was_not_acknowledged_stays_and_no_job_is_asked_for(self, bench: Bench) -> None:
        bench.start(max_bytes=25 * KIB)
        for number in (1, 2, 3):
            bench.compute(number, accepted=False)
        assert bench.look() == ["lease-1", "lease-2", "lease-3"]
        assert "outbox.max_size is 25.0 KiB" in bench.keeper.reason()
        while message := bench.journal.next_message(PLATFORM):
            bench.journal.settle(message)
        assert len(bench.look()) == 2
        assert bench.keeper.reason() == ""


class TestRoom:
    def test_below_the_least_free_room_what_was_acknowledged_goes(self, bench: Bench) -> None:
        bench.start(min_free_bytes=100 * KIB)
        for number in (1, 2, 3):
            bench.compute(number)
        bench.compute(4, accepted=False)
        used = sum(map(len, bench.disk._files.values()))
        bench.disk.room_bytes = used + 85 * KIB
        assert bench.look() == ["lease-3", "lease-4"]

    def test_who_would_ask_for_a_job_has_room_made_at_once(self, bench: Bench) -> None:
        bench.start(min_free_bytes=100 * KIB)
        bench.compute(1)
        bench.look()
        bench.disk.room_bytes = 100 * KIB
        bench.keeper.reason()
        assert bench.keeper.wake.is_set()
        bench.keeper.step()
        assert bench.outbox.folders() == []

    def test_a_full_disk_is_not_waited_for(self, bench: Bench) -> None:
        """Also where free room is not known to be lacking: a quota, or inodes."""
        bench.compute(1)
        bench.compute(2, accepted=False)
        bench.look()
        bench.keeper.make_room()
        assert bench.keeper.wake.is_set()
        bench.keeper.step()
        assert [folder.name for folder in bench.outbox.folders()] == ["lease-2.train"]

    def test_no_more_goes_than_is_needed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alectio_agent.agent.jobs.keeper.FREED_BYTES", 5 * KIB)
        for number in (1, 2, 3):
            bench.compute(number)
        bench.keeper.make_room()
        bench.keeper.step()
        assert len(bench.outbox.folders()) == 2

    def test_room_is_set_aside(self, bench: Bench) -> None:
        bench.look()
        assert (bench.folder / "reserve").exists()


class TestCutShort:
    def test_killed_between_files_and_row_the_next_look_goes_on(self, bench: Bench) -> None:
        bench.compute(1)
        bench.clock.advance(8 * DAY_S)
        bench.outbox.remove("lease-1", "train")
        assert bench.look() == []
        assert bench.journal.keeping.ended() == []

    def test_the_manifest_goes_before_the_files_that_it_names(self, bench: Bench) -> None:
        """A complete result whose files are missing would be parked, and fail its job."""
        bench.compute(1)
        removed = []
        remove = bench.disk.remove
        bench.disk.remove = lambda path: (removed.append(path.name), remove(path))
        bench.clock.advance(8 * DAY_S)
        bench.look()
        assert removed == [MANIFEST, "lease-1.train"]

    def test_a_row_that_cannot_be_written_is_written_later(self, bench: Bench) -> None:
        bench.compute(1)
        bench.clock.advance(8 * DAY_S)
        with refusing(bench.journal):
            assert bench.look() == []
            assert len(bench.journal.keeping.ended()) == 1
        bench.look()
        assert bench.journal.keeping.ended() == []

    def test_one_that_cannot_be_removed_is_told_once_and_does_not_keep_the_others(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in (1, 2):
            bench.compute(number)
        remove = bench.disk.remove

        def refuse(path: Path) -> None:
            if "lease-1" in str(path):
                raise StoreFailingError(f"{path}: Input/output error")
            remove(path)

        bench.disk.remove = refuse
        bench.clock.advance(8 * DAY_S)
        with caplog.at_level(logging.WARNING):
            assert bench.look() == bench.look() == ["lease-1"]
        assert [record.message.count("could not be removed") for record in caplog.records] == [1]


def test_jobs_that_are_long_over_are_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `agent.db` grows for as long as the agent lives."""
    monkeypatch.setattr("alectio_agent.agent.jobs.keeper.MOST_PAST_JOBS", 3)
    bench.start(keep_sent_s=0.0)
    for number in range(1, 8):
        bench.compute(number)
    bench.look()
    rows = bench.journal._database.query("SELECT lease FROM jobs")
    assert [row["lease"] for row in rows] == ["lease-5", "lease-6", "lease-7"]


class TestClockThatJumps:
    """Somebody sets the wall clock, or a machine starts with a wrong one."""

    def test_ahead_it_removes_nothing_that_was_just_acknowledged(self, bench: Bench) -> None:
        bench.compute(1)
        bench.clock.jump(days=30)
        assert bench.look() == ["lease-1"]
        bench.clock.advance(7 * DAY_S)
        assert bench.look() == []

    def test_put_right_again_it_removes_nothing_early(self, bench: Bench) -> None:
        bench.clock.jump(days=30)
        bench.compute(1)
        bench.clock.jump(days=-30)
        bench.clock.advance(6 * DAY_S)
        assert bench.look() == ["lease-1"]

    def test_while_no_agent_runs_it_removes_nothing_at_once(self, bench: Bench) -> None:
        """It looks like a long absence; more than a day of that does not count."""
        bench.compute(1)
        bench.clock.jump(days=365)
        bench.start()
        assert bench.look() == ["lease-1"]
        bench.clock.advance(5.9 * DAY_S)
        assert bench.look() == ["lease-1"]
        bench.clock.advance(0.2 * DAY_S)
        assert bench.look() == []


class TestPowerCut:
    def test_none_brings_back_a_result_whose_job_is_forgotten(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would be sent again, as one of a journal that was lost."""
        monkeypatch.setattr("alectio_agent.agent.jobs.keeper.MOST_PAST_JOBS", 3)
        for number in range(1, 9):
            bench.compute(number)
        bench.clock.advance(7 * DAY_S)
        assert bench.look() == []
        assert not bench.journal.knows("lease-5")
        bench.disk.cut_power()
        reconcile(bench.journal, bench.outbox)
        assert bench.outbox.folders() == []
        assert bench.journal.unsent().messages == 0

    def test_before_it_is_noted_that_results_are_gone_nothing_is_sent_again(
        self, bench: Bench
    ) -> None:
        """Of the results that it brings back the jobs are still known; they are removed again."""
        bench.compute(1)
        bench.outbox.remove("lease-1", "train")
        bench.disk.cut_power()
        assert len(bench.outbox.folders()) == 1
        reconcile(bench.journal, bench.outbox)
        assert bench.journal.unsent().messages == 0
        bench.clock.advance(7 * DAY_S)
        assert bench.look() == []


def test_all_that_is_old_goes_at_one_look_however_much_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alectio_agent.agent.jobs.keeper.AT_ONCE", 2)
    for number in range(1, 8):
        bench.compute(number)
    bench.clock.advance(7 * DAY_S)
    assert bench.look() == []
