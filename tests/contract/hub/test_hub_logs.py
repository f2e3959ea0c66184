"""Logs of jobs at the hub: text at its position, the beginning and the end of it, whose it is."""

from pathlib import Path

import pytest

from alectio_agent.hub.experiments import job_log_files
from alectio_agent.hub.experiments.job_log_files import (
    MOST_RUNS,
    attempts_with_log,
    read_range,
    read_tail,
)
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.protocol import LOG_END_BYTES, LOG_START_BYTES
from tests.support.benches import Bench, refused

JOB = "job-1"


def put(bench: Bench, offset: int, text: bytes, attempt: int = 1) -> int:
    return bench.platform.put_log(JOB, attempt, offset, text)


def whole(bench: Bench, attempt: int | None = None) -> list[tuple[int, bytes]]:
    """All text, as a reader goes through it: each run with its position."""
    runs: list[tuple[int, bytes]] = []
    position = 0
    while (piece := read_range(bench.platform.context, JOB, attempt, position)) and piece.text:
        if runs and runs[-1][0] + len(runs[-1][1]) == piece.offset:
            runs[-1] = (runs[-1][0], runs[-1][1] + piece.text)
        else:
            runs.append((piece.offset, piece.text))
        position = piece.offset + len(piece.text)
    return runs


def kept_bytes(bench: Bench) -> int:
    return sum(file.stat().st_size for file in bench.platform.context.logs.rglob("*.log"))


class TestText:
    def test_pieces_that_follow_each_other_are_one_text(self, bench: Bench) -> None:
        assert put(bench, 0, b"epoch 1\n") == 8
        assert put(bench, 8, b"epoch 2\n") == 16
        assert whole(bench) == [(0, b"epoch 1\nepoch 2\n")]

    @pytest.mark.parametrize("offset", [0, 2, 8])
    def test_the_same_text_again_changes_nothing(self, bench: Bench, offset: int) -> None:
        put(bench, 0, b"epoch 1\nepoch 2\n")
        assert put(bench, offset, b"epoch 1\nepoch 2\n"[offset : offset + 5]) == 16
        assert whole(bench) == [(0, b"epoch 1\nepoch 2\n")]

    def test_open_pages_are_told_of_each_piece(self, bench: Bench) -> None:
        before = bench.platform.logs_arrived
        put(bench, 0, b"epoch 1\n")
        assert bench.platform.logs_arrived > before

    def test_a_gap_is_kept_as_one(self, bench: Bench) -> None:
        put(bench, 0, b"first")
        assert put(bench, 100, b"later") == 105
        assert whole(bench) == [(0, b"first"), (100, b"later")]

    def test_text_that_comes_late_closes_the_gap(self, bench: Bench) -> None:
        put(bench, 0, b"first ")
        put(bench, 11, b" third")
        assert put(bench, 6, b"and a") == 17
        assert whole(bench) == [(0, b"first and a third")]
        assert kept_bytes(bench) == 17

    def test_text_may_overlap_what_is_on_both_sides(self, bench: Bench) -> None:
        put(bench, 0, b"0123")
        put(bench, 8, b"89ab")
        put(bench, 2, b"23456789")
        assert whole(bench) == [(0, b"0123456789ab")]

    def test_text_that_begins_before_another_run_takes_it_in(self, bench: Bench) -> None:
        put(bench, 4, b"4567")
        assert put(bench, 0, b"01234") == 8
        assert whole(bench) == [(0, b"01234567")]

    def test_no_text_asks_what_is_there(self, bench: Bench) -> None:
        assert put(bench, 0, b"") == 0
        put(bench, 0, b"first")
        put(bench, 100, b"later")
        assert [put(bench, at, b"") for at in (0, 5, 50, 100, 105)] == [5, 5, 50, 105, 105]

    def test_asking_makes_no_log(self, bench: Bench) -> None:
        put(bench, 0, b"")
        assert read_range(bench.platform.context, JOB) is None
        assert not bench.platform.context.logs.exists()

    def test_bytes_that_are_no_text_are_kept_as_they_are(self, bench: Bench) -> None:
        put(bench, 0, b"\xff\x00\x1b[31m")
        assert whole(bench) == [(0, b"\xff\x00\x1b[31m")]

    def test_too_many_gaps_are_refused(self, bench: Bench) -> None:
        for at in range(MOST_RUNS):
            put(bench, at * 10, b"x")
        with refused("invalid"):
            put(bench, 9999, b"x")

    def test_a_hub_that_was_killed_between_joining_and_removing_goes_on(self, bench: Bench) -> None:
        put(bench, 0, b"0123")
        put(bench, 6, b"67")
        folder = bench.platform.context.logs / JOB / "1"
        (folder / "0.log").write_bytes(b"01234567")  # joined, and the other run not removed yet
        assert put(bench, 0, b"") == 8
        assert put(bench, 8, b"89") == 10
        assert whole(bench) == [(0, b"0123456789")]

    def test_others_on_the_machine_cannot_read_it(self, bench: Bench) -> None:
        put(bench, 0, b"x")
        found = list(bench.platform.context.logs.rglob("*"))
        assert {oct(path.stat().st_mode & 0o077) for path in found} == {"0o0"}


class TestALongLog:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(job_log_files, "LOG_START_BYTES", 10)
        monkeypatch.setattr(job_log_files, "LOG_END_BYTES", 10)

    def test_the_beginning_stays_and_the_end_moves_on(self, bench: Bench) -> None:
        text = bytes(range(100))
        for at in range(0, 100, 7):
            put(bench, at, text[at : at + 7])
        (first, beginning), (second, end) = whole(bench)
        assert (first, beginning) == (0, text[:10])
        assert end == text[second:]
        assert 10 <= len(end) <= 20
        assert kept_bytes(bench) <= 30

    def test_text_across_the_limit_reads_as_one(self, bench: Bench) -> None:
        assert put(bench, 0, b"0123456789abc") == 13
        assert whole(bench) == [(0, b"0123456789abc")]
        assert put(bench, 3, b"") == 13

    def test_an_end_behind_a_gap_is_kept(self, bench: Bench) -> None:
        put(bench, 0, b"0123456789")
        put(bench, 1000, b"the end")
        assert whole(bench) == [(0, b"0123456789"), (1000, b"the end")]

    def test_text_before_the_end_is_taken_and_not_kept(self, bench: Bench) -> None:
        put(bench, 1000, b"the end")
        assert put(bench, 500, b"middle") == 506
        assert whole(bench) == [(1000, b"the end")]


class TestReading:
    def test_the_newest_attempt_with_a_log_is_read(self, bench: Bench) -> None:
        put(bench, 0, b"of 2", attempt=2)
        put(bench, 0, b"of 10", attempt=10)
        (bench.platform.context.logs / JOB / "11").mkdir()
        assert attempts_with_log(bench.platform.context, JOB) == [2, 10]
        assert read_range(bench.platform.context, JOB) == LogText(10, 0, 5, b"of 10")
        assert read_range(bench.platform.context, JOB, 2) == LogText(2, 0, 4, b"of 2")

    def test_only_as_much_as_is_wanted_is_read(self, bench: Bench) -> None:
        put(bench, 0, b"0123456789")
        assert read_range(bench.platform.context, JOB, 1, 2, 3) == LogText(1, 2, 10, b"234")

    @pytest.mark.parametrize("offset", [10, 11, 10**9])
    def test_at_the_end_there_is_nothing_yet(self, bench: Bench, offset: int) -> None:
        put(bench, 0, b"0123456789")
        assert read_range(bench.platform.context, JOB, 1, offset) == LogText(1, 10, 10, b"")

    @pytest.mark.parametrize("attempt", [None, 1, 7])
    def test_of_a_job_that_printed_nothing_there_is_none(
        self, bench: Bench, attempt: int | None
    ) -> None:
        assert read_range(bench.platform.context, "other", attempt) is None
        assert read_tail(bench.platform.context, "other", attempt, 100) is None

    def test_a_tail_begins_with_a_line(self, bench: Bench) -> None:
        put(bench, 0, b"epoch 1\nepoch 2\nepoch 3\n")
        assert read_tail(bench.platform.context, JOB, 1, 10) == LogText(1, 16, 24, b"epoch 3\n")
        assert read_tail(bench.platform.context, JOB, 1, 3) == LogText(1, 21, 24, b" 3\n")

    def test_a_tail_of_a_short_log_is_all_of_it(self, bench: Bench) -> None:
        put(bench, 0, b"epoch 1\nep")
        assert read_tail(bench.platform.context, JOB, None, 100) == LogText(
            1, 0, 10, b"epoch 1\nep"
        )

    def test_a_tail_of_one_long_line_is_its_end(self, bench: Bench) -> None:
        put(bench, 0, b"0123456789")
        assert read_tail(bench.platform.context, JOB, 1, 4) == LogText(1, 6, 10, b"6789")

    def test_a_tail_does_not_reach_over_a_gap(self, bench: Bench) -> None:
        put(bench, 0, b"first\n")
        put(bench, 20, b"last\n")
        assert read_tail(bench.platform.context, JOB, 1, 100) == LogText(1, 20, 25, b"last\n")


class TestWhoseItIs:
    @pytest.fixture
    def claim(self, bench: Bench) -> Claim:
        self.agent = bench.agent()
        bench.create(loops=2)
        return self.agent.start()

    def check(self, bench: Bench, claim: Claim, attempt: int = 1) -> None:
        bench.run(lambda tx: bench.platform.check_log(tx, claim.job_id, claim.lease, attempt))

    def test_it_may_come_while_the_job_runs(self, bench: Bench, claim: Claim) -> None:
        self.check(bench, claim)

    def test_it_may_come_after_the_job_is_done(self, bench: Bench, claim: Claim) -> None:
        self.agent.commit(claim)
        self.check(bench, claim)

    def test_the_end_of_a_failed_attempt_may_come(self, bench: Bench, claim: Claim) -> None:
        """It is what people look for."""
        self.agent.fail(claim, "user_code")
        self.check(bench, claim)

    def test_it_may_come_when_another_attempt_counted(self, bench: Bench, claim: Claim) -> None:
        self.agent.fail(claim, "crash")
        again = self.agent.start()
        self.agent.commit(again)
        self.check(bench, claim)
        self.check(bench, again, attempt=2)

    def test_it_may_come_when_the_experiment_was_cancelled(
        self, bench: Bench, claim: Claim
    ) -> None:
        bench.steer("cancel")
        self.check(bench, claim)

    def test_it_may_come_when_the_loop_was_rewound(self, bench: Bench, claim: Claim) -> None:
        self.agent.commit(claim)
        bench.settle()
        bench.rewind(2)
        self.check(bench, claim)

    def test_the_lease_of_another_attempt_is_refused(self, bench: Bench, claim: Claim) -> None:
        with refused("invalid"):
            self.check(bench, claim, attempt=2)

    def test_an_unknown_lease_is_refused(self, bench: Bench, claim: Claim) -> None:
        with refused("lease-lost"):
            self.check(bench, claim.model_copy(update={"lease": "other"}))

    def test_the_lease_of_another_job_is_refused(self, bench: Bench, claim: Claim) -> None:
        with refused("lease-lost"):
            self.check(bench, claim.model_copy(update={"job_id": "other"}))

    def test_a_loop_is_found_by_its_number(self, bench: Bench, claim: Claim) -> None:
        platform = bench.platform
        assert bench.run(lambda tx: platform.job_of_loop(tx, "digits", 0)) == claim.job_id
        bench.run(lambda tx: platform.check_job(tx, claim.job_id))

    def test_an_unknown_loop_experiment_or_job_is_told(self, bench: Bench, claim: Claim) -> None:
        platform = bench.platform
        with refused("not-found"):
            bench.run(lambda tx: platform.job_of_loop(tx, "digits", 1))
        with refused("not-found"):
            bench.run(lambda tx: platform.job_of_loop(tx, "other", 0))
        with refused("not-found"):
            bench.run(lambda tx: platform.check_job(tx, "other"))


def test_the_caps_are_those_of_the_protocol() -> None:
    assert (LOG_START_BYTES, LOG_END_BYTES) == (8 * 2**20, 8 * 2**20)


def test_logs_lie_in_the_folder_of_the_hub(bench: Bench, tmp_path: Path) -> None:
    assert bench.platform.context.logs == tmp_path / "data" / "logs"
