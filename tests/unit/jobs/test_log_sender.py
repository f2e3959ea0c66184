"""Sending logs: new text now and then, the rest at the end, and never anybody's trouble."""

import logging
import random
from pathlib import Path

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs import log_sender
from alectio_agent.agent.jobs.log_sender import EVERY_S, MOST_KEPT, LogSender
from alectio_agent.agent.jobs.share import Share, Shares
from alectio_agent.agent.journal.capped_log import cap_log
from alectio_agent.config.share import LogShare, ShareSettings
from alectio_agent.core.errors import (
    LeaseLostError,
    NotAuthorizedError,
    PlatformRejectedError,
    PlatformUnavailableError,
    SupersededBootError,
)
from alectio_agent.wire.claims import Claim
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock
from tests.support.platforms import FakePlatform


class Bench:
    """A log sender, a file that hooks print into, and a platform that records."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform()
        self.level: LogShare = "full"
        self.file = folder / "digits-1-a1.log"
        self.claim = make_claim()
        self.start()

    def start(self) -> None:
        """A new life of the agent."""
        backoff, share = Backoff(random.Random(1)), Share(ShareSettings(logs=self.level))
        self.sender = LogSender(self.platform, Shares(otherwise=share), self.clock, backoff)

    def share_logs(self, level: LogShare) -> None:
        self.level = level
        self.start()

    def print(self, text: bytes) -> None:
        with self.file.open("ab") as stream:
            stream.write(text)

    def follow(self, claim: Claim | None = None) -> None:
        self.sender.follow(claim or self.claim, self.file)

    def turn(self, seconds: float) -> None:
        """Let time pass, and give the sender all its turns in it."""
        until = self.clock.monotonic() + seconds
        while True:
            wait_s = self.sender.step()
            if self.clock.monotonic() + wait_s > until:
                break
            self.clock.advance(wait_s)
        self.clock.advance(until - self.clock.monotonic())

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        return [(offset, text) for _, _, _, offset, text in self.platform.calls]

    @property
    def text(self) -> bytes:
        return b"".join(text for _, text in self.sent)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class TestWhileAJobRuns:
    def test_what_is_new_is_sent_at_its_position(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.turn(EVERY_S)
        bench.print(b"epoch 2\n")
        bench.turn(EVERY_S)
        assert bench.platform.calls == [
            ("put_log", "lease-1", 1, 0, b"epoch 1\n"),
            ("put_log", "lease-1", 1, 8, b"epoch 2\n"),
        ]

    def test_little_text_is_sent_every_two_seconds_at_most(self, bench: Bench) -> None:
        bench.follow()
        for _ in range(40):
            bench.print(b".")
            bench.turn(0.5)
        assert len(bench.sent) == 10

    def test_much_text_does_not_wait(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log_sender, "PIECE_BYTES", 100)
        monkeypatch.setattr(log_sender, "MUCH_BYTES", 50)
        bench.follow()
        bench.print(b"x" * 340)
        bench.turn(EVERY_S)
        assert [len(text) for _, text in bench.sent] == [100, 100, 100]
        bench.turn(EVERY_S)
        assert len(bench.text) == 340

    def test_nothing_new_is_not_sent(self, bench: Bench) -> None:
        bench.follow()
        bench.turn(60)
        assert bench.sent == []
        assert not bench.sender.is_idle

    def test_bytes_that_are_no_text_are_sent_as_they_are(self, bench: Bench) -> None:
        bench.follow()
        bench.print("ö".encode()[:1])
        bench.turn(EVERY_S)
        bench.print("ö".encode()[1:] + b"\xff")
        bench.turn(EVERY_S)
        assert bench.text == "ö".encode() + b"\xff"

    def test_without_a_job_there_is_nothing_to_do(self, bench: Bench) -> None:
        assert bench.sender.step() == log_sender.IDLE_S
        assert bench.sender.is_idle


class TestAtTheEnd:
    def test_the_rest_is_sent_at_once(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"Traceback\n")
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sent == [(0, b"Traceback\n")]
        assert bench.sender.is_idle

    def test_a_job_that_printed_nothing_costs_no_call(self, bench: Bench) -> None:
        bench.follow()
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sent == []
        assert bench.sender.is_idle

    def test_the_end_wakes_the_sender(self, bench: Bench) -> None:
        bench.follow()
        bench.sender.wake.clear()
        bench.sender.end("lease-1")
        assert bench.sender.wake.is_set()

    def test_an_end_while_a_piece_is_under_way_is_not_missed(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")

        def meanwhile() -> int:
            bench.print(b"the end\n")
            bench.sender.end("lease-1")
            return 8

        bench.platform.say("put_log", meanwhile)
        bench.turn(EVERY_S)
        assert bench.sent == [(0, b"epoch 1\n"), (8, b"the end\n")]
        assert bench.sender.is_idle

    def test_of_a_long_log_the_beginning_and_the_end_are_sent(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_sender, "LOG_START_BYTES", 10)
        monkeypatch.setattr(log_sender, "LOG_END_BYTES", 10)
        bench.follow()
        bench.print(bytes(range(100)))
        bench.turn(60)
        assert bench.sent == [(0, bytes(range(10)))]
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sent[1:] == [(90, bytes(range(90, 100)))]

    def test_between_the_two_limits_nothing_is_left_out(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_sender, "LOG_START_BYTES", 10)
        monkeypatch.setattr(log_sender, "LOG_END_BYTES", 10)
        bench.follow()
        bench.print(bytes(range(15)))
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sent == [(0, bytes(range(10))), (10, bytes(range(10, 15)))]


class TestWhatMayLeave:
    def test_nothing(self, bench: Bench) -> None:
        bench.share_logs("none")
        bench.follow()
        bench.print(b"a patient's name\n")
        bench.sender.end("lease-1")
        bench.turn(60)
        assert bench.sent == []
        assert bench.sender.is_idle

    def test_the_end_when_the_job_is_over(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_sender, "LOG_END_BYTES", 4)
        bench.share_logs("tail")
        bench.follow()
        bench.print(b"0123456789")
        bench.turn(60)
        assert bench.sent == []
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sent == [(6, b"6789")]


class TestAfterARestart:
    def test_it_goes_on_from_what_the_platform_has(self, bench: Bench) -> None:
        bench.print(b"epoch 1\nepoch 2\n")
        bench.platform.say("put_log", 8)
        bench.follow()
        bench.turn(EVERY_S)
        assert bench.sent == [(0, b""), (8, b"epoch 2\n")]

    def test_a_platform_that_has_all_is_sent_nothing(self, bench: Bench) -> None:
        bench.print(b"epoch 1\n")
        bench.platform.say("put_log", 8)
        bench.follow()
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sent == [(0, b"")]
        assert bench.sender.is_idle

    def test_a_platform_that_lost_it_is_sent_all(self, bench: Bench) -> None:
        bench.print(b"epoch 1\n")
        bench.follow()
        bench.turn(EVERY_S)
        assert bench.sent == [(0, b""), (0, b"epoch 1\n")]


class TestTrouble:
    def test_a_platform_that_is_away_is_tried_again(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.go_away(*["put_log"] * 5)
        bench.turn(EVERY_S)
        assert bench.sender.is_failing
        bench.turn(600)
        assert bench.sent == [(0, b"epoch 1\n")] * 6
        assert not bench.sender.is_failing

    def test_before_a_stop_it_is_tried_once_more(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.go_away(*["put_log"] * 5)
        bench.turn(EVERY_S)
        bench.sender.end("lease-1")
        bench.sender.hurry()
        assert not bench.sender.is_failing
        bench.sender.step()
        assert len(bench.sent) == 2
        assert bench.sender.is_failing

    def test_text_that_was_printed_meanwhile_is_sent_with_it(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.go_away("put_log")
        bench.turn(EVERY_S)
        bench.print(b"epoch 2\n")
        bench.turn(60)
        assert bench.sent[-1] == (0, b"epoch 1\nepoch 2\n")

    @pytest.mark.parametrize(
        "verdict",
        [
            LeaseLostError("taken over"),
            PlatformRejectedError("no such call", problem="not-found"),
            PlatformRejectedError("too many gaps", problem="invalid"),
            SupersededBootError("another agent"),
        ],
    )
    def test_a_verdict_ends_it_for_that_job(
        self, bench: Bench, verdict: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.say("put_log", verdict)
        bench.turn(600)
        assert len(bench.sent) == 1
        assert bench.sender.is_idle
        assert not bench.sender.is_failing
        assert [record.levelname for record in caplog.records] == ["DEBUG"]

    def test_a_platform_without_this_call_is_given_up_quietly(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.say("put_log", *[PlatformUnavailableError("a page", status=404)] * 9)
        bench.turn(6000)
        assert len(bench.sent) == log_sender.MOST_REFUSALS
        assert bench.sender.is_idle
        assert [record.levelname for record in caplog.records] == ["DEBUG"]
        assert "digits/1" in caplog.records[0].getMessage()

    def test_a_refused_token_is_tried_again_seldom(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.say("put_log", NotAuthorizedError("who?", problem="unauthorized"))
        bench.turn(100)
        assert len(bench.sent) == 1
        bench.turn(100)
        assert len(bench.sent) == 2

    def test_another_protocol_is_waited_for(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.platform.say("put_log", PlatformRejectedError("", problem="unsupported-protocol"))
        bench.turn(60)
        assert len(bench.sent) == 2

    def test_a_file_that_cannot_be_read_is_let_be(self, bench: Bench) -> None:
        bench.file.mkdir()
        bench.follow()
        bench.turn(60)
        assert bench.sender.is_idle

    def test_a_file_that_was_removed_is_no_trouble(self, bench: Bench) -> None:
        bench.follow()
        bench.print(b"epoch 1\n")
        bench.turn(EVERY_S)
        bench.file.unlink()
        bench.turn(EVERY_S)
        bench.sender.end("lease-1")
        bench.turn(0)
        assert bench.sender.is_idle

    def test_logs_that_wait_do_not_pile_up(self, bench: Bench) -> None:
        bench.print(b"epoch 1\n")
        for number in range(MOST_KEPT + 5):
            bench.follow(make_claim(lease=f"lease-{number}"))
            bench.sender.end(f"lease-{number}")
        bench.turn(0)
        leases = {lease for _, lease, *_ in bench.platform.calls}
        assert leases == {f"lease-{number}" for number in range(5, MOST_KEPT + 5)}

    def test_an_end_of_an_unknown_job_is_nothing(self, bench: Bench) -> None:
        bench.sender.end("lease-9")
        assert bench.sender.is_idle


def test_what_was_dropped_of_a_long_log_is_not_sent_as_zeros(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sender, "LOG_START_BYTES", 2**20)
    bench.follow()
    bench.print(b"x" * 2**20)
    cap_log(bench.file, 2**18)
    if bench.file.stat().st_blocks * 512 > 2**18:
        pytest.skip("this file system has no holes")
    bench.sender.end(bench.claim.lease)
    while not bench.sender.is_idle:
        bench.clock.advance(bench.sender.step())
    sent = [(offset, text) for _, _, _, offset, text in bench.platform.calls]
    assert b"".join(text for _, text in sent).strip(b"x") == b""
    assert sent[0][0] == 0
    assert sum(len(text) for _, text in sent) == 2**16 + 2**17
    assert sent[-1][0] + len(sent[-1][1]) == 2**20


def test_files_that_are_followed_are_told(bench: Bench) -> None:
    """They must stay until they are sent."""
    bench.follow()
    assert bench.sender.files == {bench.file}
