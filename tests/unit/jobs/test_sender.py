"""Delivery of results."""

import hashlib
import random
from pathlib import Path

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.carried import Verdict
from alectio_agent.agent.jobs.disk_trouble import AGAIN_S
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.part_courier import PartCourier
from alectio_agent.agent.jobs.part_worker import PartWorker
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.core.errors import (
    LeaseLostError,
    NotAuthorizedError,
    PlatformRejectedError,
    PlatformUnavailableError,
    SupersededBootError,
)
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk, refusing
from tests.support.platforms import FakePlatform

PART = {"sha256": "a" * 64, "bytes": 10, "rows": 1}


class Bench:
    """A sender with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform()
        self.journal = Journal(folder / "agent.db", self.clock)
        self.disk = MemoryDisk()
        self.outbox = Outbox(self.disk, folder / "outbox")
        self.heartbeats = Heartbeats(self.platform, self.clock)
        self.parts = PartCourier(self.platform, self.outbox, self.clock)
        self.parts.on_work = self.work
        self.claim = make_claim()
        self.journal.put_claim("boot-1", 1, self.claim, PLATFORM)
        self.start()

    def start(self) -> None:
        """A new life of the agent."""
        self.sender = Sender(
            self.platform,
            self.journal,
            self.parts,
            self.heartbeats,
            self.clock,
            Backoff(random.Random(1)),
        )
        self.sender.set_platform(PLATFORM)

    def put(self, step: str, *, is_last: bool = False, **commit) -> None:
        manifest = make_manifest(self.claim, step, **commit)
        folder = self.outbox.open_result(self.claim.lease, step)
        folder.mkdir(parents=True)  # parts lie on the machine's own disk
        for part, name in zip(manifest.commit.parts, manifest.files, strict=True):
            (folder / name).write_bytes(bytes(part.bytes))
        self.outbox.complete(manifest)
        self.journal.put_commit(manifest, is_last=is_last)

    def work(self, worker: PartWorker) -> None:
        """What the thread of a worker does."""
        while not worker.step():
            pass

    def run(self, turns: int = 20) -> list[float]:
        """Turn until the sender would wait."""
        waits = []
        for _ in range(turns):
            waits.append(self.sender.step())
            if waits[-1] and not self.sender.wake.is_set():
                break
            self.sender.wake.clear()
        return waits

    def made(self, *names: str) -> list[tuple]:
        return [call for call in self.platform.calls if call[0] in names]


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.journal.close()


def test_results_leave_in_order_and_release_the_lease_at_the_last(bench: Bench) -> None:
    ended = []
    bench.heartbeats.hold(bench.claim, lambda *told: ended.append(told))
    for step in ("train", "test", "infer"):
        bench.put(step, is_last=step == "infer")
    bench.run()
    assert [call[1] for call in bench.made("commit")] == ["train", "test", "infer"]
    bench.clock.advance(1000)
    bench.heartbeats.step()
    assert bench.made("beat") == []
    assert ended == []


def test_parts_leave_before_the_commit_that_names_them(bench: Bench) -> None:
    bench.put("infer", parts=[PART], files=["part-0.npz"])
    bench.run()
    assert [call[0] for call in bench.platform.calls] == ["put_part", "commit"]


def test_an_outage_keeps_the_message_and_its_key(bench: Bench) -> None:
    """The same key for ever: a swallowed answer must not count a result twice."""
    bench.put("train", key="key-once")
    bench.platform.go_away("commit", "commit", "commit")
    waits = [bench.sender.step() for _ in range(4)]
    assert all(wait_s > 0 for wait_s in waits[:3])
    assert waits[3] == 0
    assert {call[2] for call in bench.made("commit")} == {"key-once"}
    assert bench.journal.unsent().messages == 0


def test_retry_after_is_kept_to(bench: Bench) -> None:
    bench.put("train")
    bench.platform.say("commit", PlatformUnavailableError("busy", retry_after_s=42))
    assert bench.sender.step() == 42


def test_missing_parts_are_sent_again_then_the_commit(bench: Bench) -> None:
    """A hub restored from a backup has lost parts that it once acknowledged."""
    bench.put("infer", parts=[PART], files=["part-0.npz"])
    bench.platform.say("commit", PlatformRejectedError("gone", problem="parts-missing"))
    bench.run()
    assert [call[0] for call in bench.platform.calls] == [
        "put_part",
        "commit",
        "put_part",
        "commit",
    ]


def test_parts_that_are_missed_for_ever_are_sent_with_back_off(bench: Bench) -> None:
    bench.put("infer", parts=[PART], files=["part-0.npz"])
    gone = PlatformRejectedError("gone", problem="parts-missing")
    bench.platform.say("commit", *[gone] * 3)
    waits = [wait_s for wait_s in bench.run() if wait_s != 3600]
    assert waits[0] == 0
    assert 0 < waits[1] <= 1
    assert bench.sender.is_failing


def test_a_part_that_does_not_arrive_is_a_failed_delivery(bench: Bench) -> None:
    """A stopping agent sends until one delivery does not arrive."""
    parts = [PART, {**PART, "sha256": "b" * 64}]
    bench.put("infer", parts=parts, files=["part-0.npz", "part-1.npz"])
    bench.platform.go_away("put_part")
    waits = bench.run()
    assert 0 < waits[-1] <= 1
    assert bench.sender.is_failing
    assert len(bench.made("put_part")) == 1, "the second part waits, too"


def test_a_part_that_is_refused_with_its_lease_supersedes_all(bench: Bench) -> None:
    bench.put("infer", parts=[PART], files=["part-0.npz"])
    bench.platform.say("put_part", LeaseLostError("another counted"))
    bench.run()
    assert bench.made("commit") == []
    assert bench.journal.unsent().messages == 0


def test_a_lost_lease_supersedes_all_and_stops_the_running_hook(bench: Bench) -> None:
    ended = []
    bench.heartbeats.hold(bench.claim, lambda *told: ended.append(told))
    bench.put("train")
    bench.put("test")
    bench.platform.say("commit", LeaseLostError("another counted"))
    bench.run()
    assert len(bench.made("commit")) == 1
    assert ended == [("lost", "another counted")]
    assert bench.outbox.folders() != []


def test_a_result_refused_for_good_is_parked_and_fails_the_job(bench: Bench) -> None:
    bench.put("train")
    bench.platform.say("commit", PlatformRejectedError("no such step", problem="invalid"))
    bench.run()
    failures = bench.made("fail")
    assert [call[1] for call in failures] == ["rejected"]
    assert "no such step" in failures[0][2]
    assert bench.outbox.folders() != []


def test_a_refused_token_waits_minutes_and_keeps_the_message(bench: Bench) -> None:
    bench.put("train")
    bench.platform.say("commit", NotAuthorizedError("expired", problem="expired"))
    assert bench.sender.step() >= 60
    assert bench.journal.unsent().messages == 1


def test_a_revoked_token_is_told_upwards(bench: Bench) -> None:
    told = []
    bench.sender.on_fatal = told.append
    bench.put("train")
    bench.platform.say("commit", NotAuthorizedError("revoked", problem="revoked"))
    bench.sender.step()
    assert [error.problem for error in told] == ["revoked"]
    assert bench.journal.unsent().messages == 1


def test_a_second_agent_with_this_identity_ends_this_one(bench: Bench) -> None:
    told = []
    bench.sender.on_fatal = told.append
    bench.put("train")
    bench.platform.say("commit", SupersededBootError("another agent"))
    assert bench.sender.step() >= 60
    assert [error.exit_code for error in told] == [78]
    assert bench.journal.unsent().messages == 1


def test_why_nothing_arrives_is_told_after_three_failures(bench: Bench) -> None:
    bench.put("train")
    page = PlatformUnavailableError("HTTP 413 that is not the platform's", silence="foreign")
    bench.platform.say("commit", page, page, page)
    told = []
    for _ in range(4):
        bench.sender.step()
        told.append(bench.sender.trouble)
    assert told == ["", "", "HTTP 413 that is not the platform's", ""]


def test_an_outage_is_one_line_of_the_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.put("train")
    said = [PlatformUnavailableError("away")] * 3
    bench.platform.say("commit", *said)
    for _ in said:
        bench.sender.step()
    assert sum("not delivered yet" in record.getMessage() for record in caplog.records) == 1


def test_a_sound_part_that_is_refused_for_ever_is_told_and_tried_every_minute(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody on the way changes its bytes: no reason to lose a result, nor to fill the log."""
    sound = {"sha256": hashlib.sha256(bytes(10)).hexdigest(), "bytes": 10, "rows": 1}
    bench.put("infer", parts=[sound], files=["part-0.npz"])
    refused = PlatformRejectedError("another digest", problem="invalid")
    bench.platform.say("put_part", *[refused] * 40)
    waits, troubles = [], []
    for _ in range(40):
        bench.sender.step()  # its part is sent, and refused
        waits.append(bench.sender.step())
        troubles.append(bench.sender.trouble)
    highest = [min(60.0, 2.0**tries) for tries in range(40)]
    assert all(0 < wait_s <= most_s for wait_s, most_s in zip(waits, highest, strict=True))
    assert max(waits) > 50
    assert troubles[:2] == ["", ""]
    assert set(troubles[2:]) == {"part-0.npz: refused, though it is sound (another digest)"}
    assert len(caplog.records) == 1
    assert bench.journal.unsent().messages == 1
    while not bench.made("commit"):
        bench.sender.step()
    assert bench.sender.trouble == ""


def test_a_failure_is_delivered(bench: Bench) -> None:
    raw = {"key": "key-f", "step": "train", "class": "user_code", "message": "it raised"}
    bench.journal.put_failure(bench.claim.lease, JobFailure.model_validate(raw))
    bench.run()
    assert bench.made("fail") == [("fail", "user_code", "it raised")]
    assert bench.journal.jobs() == []


def test_whoever_keeps_results_is_told_of_jobs_that_are_closed(bench: Bench) -> None:
    closed = []
    bench.sender.on_closed = lambda: closed.append(bench.journal.jobs())
    bench.put("train")
    bench.run()
    assert closed == []
    bench.put("test", is_last=True)
    bench.run()
    assert closed == [[]]


class TestADiskThatRefuses:
    """The platform has the result; this agent cannot note it down."""

    def test_what_was_accepted_is_settled_later_and_not_sent_again(self, bench: Bench) -> None:
        bench.put("train", is_last=True)
        with refusing(bench.journal):
            assert [bench.sender.step() for _ in range(3)] == [AGAIN_S] * 3
            assert bench.sender.is_failing
            assert bench.journal.unsent().messages == 1
        assert bench.sender.step() == 0
        assert len(bench.made("commit")) == 1
        assert bench.journal.jobs() == []
        assert not bench.sender.is_failing

    def test_after_a_restart_it_is_sent_once_more_under_the_same_key(self, bench: Bench) -> None:
        bench.put("train", is_last=True)
        with refusing(bench.journal):
            bench.sender.step()
        bench.start()
        bench.run()
        assert len(bench.made("commit")) == 2
        assert len({key for _, _, key in bench.made("commit")}) == 1

    def test_a_lost_lease_is_noted_later(self, bench: Bench) -> None:
        bench.put("train", is_last=True)
        bench.platform.say("commit", *[LeaseLostError("taken over")] * 2)
        with refusing(bench.journal):
            assert bench.sender.step() == AGAIN_S
        bench.run()
        assert bench.journal.jobs() == []


def rows(bench: Bench) -> list[tuple[str, str, str]]:
    found = bench.journal._database.query("SELECT * FROM messages ORDER BY id")
    return [(row["kind"], row["step"], row["state"]) for row in found]


def test_what_follows_a_refused_result_is_kept_and_its_failure_goes_out_next(bench: Bench) -> None:
    """The platform takes steps in order: each of them would be refused, and fail the job again."""
    for step in ("train", "test", "infer"):
        bench.put(step, is_last=step == "infer")
    bench.platform.say("commit", PlatformRejectedError("NaN", problem="invalid"))
    bench.run()
    assert [call[0] for call in bench.platform.calls] == ["commit", "fail"]
    assert rows(bench) == [
        ("commit", "train", "parked"),
        ("commit", "test", "parked"),
        ("commit", "infer", "parked"),
        ("fail", "train", "settled"),
    ]
    assert bench.journal.jobs() == []


def test_a_job_that_was_to_be_handed_back_fails_for_its_refused_result_instead(
    bench: Bench,
) -> None:
    """Handed back, the platform would let the same be computed again."""
    bench.put("train")
    told = {"key": "k", "step": "test", "class": "interrupted", "message": "stopped"}
    bench.journal.put_failure("lease-1", JobFailure.model_validate(told))
    bench.platform.say("commit", PlatformRejectedError("NaN", problem="invalid"))
    bench.run()
    assert [call[1] for call in bench.made("fail")] == ["rejected"]


def test_a_failure_never_overtakes_the_results_before_it(bench: Bench) -> None:
    """Whatever happens to the delivery of those: an outage, a restart, missing parts."""
    bench.put("train")
    bench.put("test", parts=[PART], files=["part-0.npz"])
    told = {"key": "k", "step": "infer", "class": "user_code", "message": "it raised"}
    bench.journal.put_failure("lease-1", JobFailure.model_validate(told))
    missing = PlatformRejectedError(
        "gone", problem="parts-missing", detail={"missing": [{"sha256": "a" * 64, "have": 0}]}
    )
    bench.platform.go_away("put_part", "fail", "fail")
    bench.platform.say("commit", PlatformUnavailableError("no"), lambda: None, missing)
    for _ in range(20):
        bench.sender.step()
    arrived = [call[0] if call[0] == "fail" else call[1] for call in bench.made("commit", "fail")]
    assert arrived == ["train", "train", "test", "test", "fail", "fail", "fail"]
    assert bench.journal.unsent().messages == 0


CLOSED = LeaseLostError("the job is closed", problem="job-closed")


def test_a_closed_job_may_have_been_closed_by_this_very_commit(bench: Bench) -> None:
    """It takes no parts any more, but knows the key: what was counted is not superseded."""
    bench.put("infer", is_last=True, parts=[PART], files=["part-0.npz"])
    bench.platform.say("put_part", CLOSED)
    bench.run()
    assert [call[0] for call in bench.platform.calls] == ["put_part", "commit"]
    assert rows(bench) == [("commit", "infer", "settled")]


@pytest.mark.parametrize(
    "verdict",
    [LeaseLostError("another counted"), PlatformRejectedError("?", problem="parts-missing")],
)
def test_a_job_that_was_closed_without_it_supersedes_it(bench: Bench, verdict: Exception) -> None:
    bench.put("infer", is_last=True, parts=[PART], files=["part-0.npz"])
    bench.platform.say("put_part", CLOSED)
    bench.platform.say("commit", verdict)
    bench.run()
    assert rows(bench) == [("commit", "infer", "superseded")]
    assert len(bench.made("commit")) == 1
    assert bench.outbox.folders() != []


def test_a_lost_lease_is_believed_only_when_it_is_known_who_says_so(bench: Bench) -> None:
    asked = []

    def confirm() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise PlatformUnavailableError("another platform", silence="foreign")

    bench.sender.confirm = confirm
    bench.put("train")
    bench.platform.say("commit", *[LeaseLostError("unknown")] * 3)
    assert bench.sender.step() > 0
    assert bench.sender.step() > 0
    assert rows(bench) == [("commit", "train", "pending")]
    assert bench.sender.step() == 0
    assert rows(bench) == [("commit", "train", "superseded")]


def test_nothing_is_sent_before_the_platform_is_known(tmp_path: Path) -> None:
    made = Bench(tmp_path)
    made.sender._platform_id = None
    made.put("train")
    made.run()
    assert made.platform.calls == []
    made.journal.close()


def test_the_parts_of_a_refused_result_are_forgotten(bench: Bench) -> None:
    bench.put("infer", parts=[PART], files=["part-0.npz"], is_last=True)
    bench.platform.say("commit", PlatformRejectedError("no", problem="invalid"))
    bench.run()
    assert bench.parts.want(make_manifest(bench.claim, "infer", parts=[PART], files=["x"])) is False


class TestCounts:
    """Of results that left the outbox; what belongs to them, such as a failure, is none."""

    def test_each_result_that_the_platform_took_counts_once(self, bench: Bench) -> None:
        for step in ("train", "test", "infer"):
            bench.put(step, is_last=step == "infer")
        bench.platform.go_away("commit")
        bench.run()
        assert bench.sender.counters.results.amounts == {
            "delivered": 3, "superseded": 0, "parked": 0,
        }  # fmt: skip

    def test_a_lost_lease_counts_all_results_of_its_attempt(self, bench: Bench) -> None:
        bench.put("train")
        bench.put("test")
        bench.platform.say("commit", LeaseLostError("gone", problem="lease-lost"))
        bench.run()
        assert bench.sender.counters.results.amounts["superseded"] == 2

    def test_a_refused_result_counts_with_those_behind_it(self, bench: Bench) -> None:
        bench.put("train")
        bench.put("test")
        bench.platform.say("commit", PlatformRejectedError("no", problem="invalid"))
        bench.run()
        assert bench.sender.counters.results.amounts["parked"] == 2
        assert bench.sender.counters.jobs.amounts["rejected"] == 1


def test_lines_about_a_delivery_name_attempt_and_step(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.heartbeats.hold(bench.claim, lambda *_: None)
    bench.put("test")
    bench.platform.go_away("commit")
    bench.sender.step()
    [record] = caplog.records
    assert (record.job, record.attempt, record.step) == ("digits/1", 1, "test")  # type: ignore[attr-defined]


def test_what_was_carried_by_hand_is_not_sent_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.heartbeats.hold(bench.claim, lambda ending, reason: None)
    closed: list[bool] = []
    bench.sender.on_closed = lambda: closed.append(True)
    bench.put("train")
    bench.put("test", is_last=True)
    said = [Verdict("key-train", "accepted"), Verdict("key-test", "accepted")]
    assert bench.sender.take_verdicts(PLATFORM, said) == 2
    assert bench.sender.take_verdicts(PLATFORM, said) == 0
    bench.run()
    assert bench.platform.calls == []
    assert closed == [True]
    assert not bench.heartbeats.holds(bench.claim.lease)


def test_an_attempt_that_lost_by_hand_ends_here_as_well(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    ends: list[tuple[str, str]] = []
    bench.heartbeats.hold(bench.claim, lambda ending, reason: ends.append((ending, reason)))
    bench.put("train")
    assert bench.sender.take_verdicts(PLATFORM, [Verdict("key-train", "superseded", "late")]) == 1
    assert ends == [("lost", "late")]
    assert bench.sender.is_idle


def test_a_retry_sends_at_once_what_was_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.put("train", is_last=True)
    bench.platform.say("commit", PlatformRejectedError("no", problem="invalid"))
    bench.run()
    assert bench.sender.retry("digits/9") == 0
    bench.sender.wake.clear()
    assert bench.sender.retry(None) == 1
    assert bench.sender.wake.is_set(), "it need not wait for its next try"
    bench.run()
    keys = [call[2] for call in bench.platform.calls if call[0] == "commit"]
    assert keys == ["key-train", "key-train"]
