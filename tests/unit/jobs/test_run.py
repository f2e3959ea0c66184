"""One job on this agent."""

import errno
import json
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.provenance import Code, Provenance
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome
from alectio_agent.agent.jobs.disk_trouble import AGAIN_S, DiskTrouble, Storage
from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.agent.journal.origin import Origin
from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.core.errors import (
    HookCrashedError,
    HookInterruptedError,
    HookRaisedError,
    LeaseLostError,
    NotAuthorizedError,
    StoreError,
    StoreFullError,
)
from alectio_agent.wire.results import HeartbeatAnswer
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.disks import refusing
from tests.support.hooks import FakeHooks, make_outcome
from tests.support.platforms import FakePlatform


class Bench:
    """A job in hand, with everything around it."""

    def __init__(self, folder: Path, **options) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform()
        self.desk = make_desk(folder, self.platform, self.clock, **options)
        self.hooks = FakeHooks()
        self.claim = make_claim()
        self.desk.journal.put_claim("boot-1", 1, self.claim, PLATFORM)
        self.job = self.take_up()

    def take_up(self) -> JobRun:
        """The job as a freshly started agent takes it from the journal."""
        return JobRun(self.claim, PLATFORM, self.desk, self.hooks)

    def run(self, turns: int = 20) -> list[float]:
        waits = []
        for _ in range(turns):
            wait_s = self.job.step()
            if wait_s is None:
                return waits
            waits.append(wait_s)
        raise AssertionError("the job did not end")

    def messages(self) -> list[tuple[str, str | None, dict]]:
        rows = self.desk.journal._database.query("SELECT kind, step, body FROM messages")
        return [(row["kind"], row["step"], json.loads(row["body"])) for row in rows]


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.desk.journal.close()


def test_steps_run_in_order_and_each_result_is_queued(bench: Bench) -> None:
    bench.run()
    assert bench.hooks.steps == ["train", "test", "infer"]
    assert [(kind, step) for kind, step, _ in bench.messages()] == [
        ("commit", "train"),
        ("commit", "test"),
        ("commit", "infer"),
    ]
    assert bench.desk.delivery.is_set()


class TestParts:
    """They leave while the hook process still stores their step."""

    PART = PartFile("part-0.npz", "a" * 64, 10, 1)

    def run(self, bench: Bench, ending: StepOutcome | Exception) -> list[int]:
        """How many parts are in hand while the first step runs, and after it."""
        in_hand = []

        def store() -> StepOutcome:
            bench.hooks.runs[-1].on_part(self.PART)
            in_hand.append(bench.desk.parts._queue.in_hand)
            if isinstance(ending, Exception):
                raise ending
            return ending

        bench.hooks.say(store)
        bench.run()
        return [*in_hand, bench.desk.parts._queue.in_hand]

    def test_a_part_is_on_its_way_before_its_step_is_done(self, bench: Bench) -> None:
        assert self.run(bench, make_outcome(parts=(self.PART,))) == [1, 1]
        (part,) = bench.desk.parts._queue._waiting
        assert part.file == bench.desk.outbox.result_folder("lease-1", "train") / "part-0.npz"
        assert (part.job_id, part.sha256, part.size_bytes) == ("job-1", "a" * 64, 10)

    def test_parts_of_a_step_that_failed_are_not_sent(self, bench: Bench) -> None:
        assert self.run(bench, HookRaisedError("no")) == [1, 0]

    @pytest.mark.parametrize(
        "ending", [HookRaisedError("no"), HookCrashedError("killed"), HookInterruptedError("stop")]
    )
    def test_nothing_stays_on_disk_of_a_step_without_a_result(
        self, bench: Bench, ending: Exception
    ) -> None:
        """Its folder would never be looked at again."""
        self.run(bench, ending)
        assert bench.desk.outbox.folders() == []

    def test_what_cannot_be_removed_is_no_reason_to_run_the_hook_again(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_lease: str, _step: str) -> None:
            raise StoreFullError("no room")

        monkeypatch.setattr(bench.desk.outbox, "remove", refuse)
        self.run(bench, HookRaisedError("no"))
        assert bench.hooks.steps == ["train"]
        assert [kind for kind, _, _ in bench.messages()] == ["fail"]

    def test_parts_of_a_lost_lease_are_not_sent(self, bench: Bench) -> None:
        def lose() -> StepOutcome:
            bench.hooks.runs[-1].on_part(self.PART)
            bench.job.end("lost", "another counted")
            raise HookInterruptedError("cancelled")

        bench.hooks.say(lose)
        bench.run()
        assert bench.desk.parts._queue.in_hand == 0
        assert bench.desk.delivery.is_set(), "the sender may wait for one of them"


def test_a_warning_is_logged_once_for_an_experiment_and_step(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Each loop says it again; each result still carries it."""
    for loop in range(2):
        bench.claim = make_claim(job=f"digits/{loop}", loop=loop, lease=f"again-{loop}")
        bench.desk.journal.put_claim("boot-1", loop + 2, bench.claim, PLATFORM)
        bench.job = bench.take_up()
        bench.hooks.say(*(make_outcome(warnings=("rows sum to 1",)) for _ in range(3)))
        bench.run()
    told = [record.getMessage() for record in caplog.records if "sum to 1" in record.getMessage()]
    assert len(told) == len(set(told)) == 3
    sent = [body["commit"]["warnings"] for _, _, body in bench.messages()]
    assert sent == [["rows sum to 1"]] * 6


def test_what_a_train_run_was_made_of_is_sent_with_it(bench: Bench) -> None:
    code = Code("a" * 64, {"processes.py": "b" * 64}, is_whole=True, git=None)
    made_of = Provenance(code, Path("/usr/bin/python3"), {}, {"lr": 0.1})
    bench.hooks.say(make_outcome(provenance=made_of))
    bench.run()
    (_, _, train), (_, _, test), _ = bench.messages()
    assert train["commit"]["provenance"]["args"] == {"lr": 0.1}
    assert test["commit"]["provenance"] is None


def test_no_hook_runs_before_the_first_heartbeat_was_accepted(bench: Bench) -> None:
    bench.platform.go_away("beat", "beat")
    waits = [bench.job.step(), bench.job.step()]
    assert all(wait_s is not None and wait_s >= 0 for wait_s in waits)
    assert bench.hooks.runs == []
    bench.run()
    assert bench.hooks.steps == ["train", "test", "infer"]


def test_a_job_that_belongs_to_somebody_else_is_not_begun(bench: Bench) -> None:
    bench.platform.say("beat", LeaseLostError("taken over"))
    bench.run()
    assert bench.hooks.runs == []
    assert bench.desk.journal.jobs() == []


def test_steps_whose_result_is_on_disk_are_not_run_again(bench: Bench) -> None:
    bench.job.step()
    bench.job.step()
    bench.job = bench.take_up()
    bench.run()
    assert bench.hooks.steps == ["train", "test", "infer"]


def test_the_checkpoint_is_synced_before_the_result_counts(bench: Bench, tmp_path: Path) -> None:
    """Else a power cut leaves a counted `train` whose checkpoint is gone."""
    checkpoints = bench.desk.pipelines["digits"].checkpoints.dir / "digits"
    checkpoints.mkdir(parents=True)
    order = []
    disk, outbox = bench.desk.disk, bench.desk.outbox
    disk.sync_tree = lambda folder: order.append(("sync", folder))
    complete = outbox.complete
    outbox.complete = lambda manifest: (
        order.append(("manifest", manifest.step)),
        complete(manifest),
    )
    bench.run()
    assert order[:2] == [("sync", checkpoints), ("manifest", "train")]
    assert [entry for entry in order if entry[0] == "sync"] == [("sync", checkpoints)]


def test_a_result_survives_a_power_cut_right_after_it_is_complete(bench: Bench) -> None:
    bench.job.step()
    bench.job.step()
    bench.desk.disk.cut_power()
    folder = bench.desk.outbox.result_folder("lease-1", "train")
    assert bench.desk.outbox.read(folder) is not None


def test_a_result_is_complete_before_its_message_is_queued(bench: Bench) -> None:
    """In the other order a power cut leaves a message about a result that is not there."""

    def end_of_the_journal() -> StepOutcome:
        bench.desk.journal.close()
        return make_outcome()

    bench.hooks.say(end_of_the_journal)
    with pytest.raises(StoreError):
        bench.run()
    bench.desk.disk.cut_power()
    manifest = bench.desk.outbox.read(bench.desk.outbox.result_folder("lease-1", "train"))
    assert manifest is not None
    assert manifest.origin == Origin.of(bench.claim)


def test_hooks_get_indices_in_increasing_order(bench: Bench) -> None:
    claim = make_claim(lease="lease-2")
    steps = [step.model_dump() for step in claim.steps]
    steps[0]["payload"]["labeled"] = [8, 1, 4]
    bench.claim = make_claim(lease="lease-2", steps=steps)
    bench.desk.journal.put_claim("boot-1", 2, bench.claim, PLATFORM)
    bench.job = bench.take_up()
    bench.run()
    assert list(bench.hooks.runs[0].payload["labeled"]) == [1, 4, 8]


def test_a_job_in_hand_holds_no_claim_with_its_samples(bench: Bench) -> None:
    """Millions of Python numbers would stay in memory for as long as its hooks take."""
    claim = make_claim()
    parts = [weakref.ref(claim), *(weakref.ref(order.payload) for order in (claim.steps[2],))]
    bench.claim = claim
    bench.job = bench.take_up()
    bench.claim = make_claim()
    del claim
    assert [part() for part in parts] == [None, None]
    bench.run()
    assert list(bench.hooks.runs[2].payload["unlabeled"]) == [0, 2, 3]
    assert bench.job.claim.steps[2].payload.unlabeled == []


def test_a_hook_that_raised_is_reported_and_no_further_step_runs(bench: Bench) -> None:
    raised = HookRaisedError("p.py:3 in test: ValueError: bad", traceback="Traceback ...")
    bench.hooks.say(make_outcome(), raised)
    bench.run()
    assert bench.hooks.steps == ["train", "test"]
    kind, step, body = bench.messages()[-1]
    assert (kind, step, body["class"]) == ("fail", "test", "user_code")
    assert "ValueError: bad" in body["message"]


def test_a_crash_keeps_its_class(bench: Bench) -> None:
    bench.hooks.say(HookCrashedError("killed by SIGKILL"))
    bench.run()
    assert bench.messages()[-1][2]["class"] == "crash"


def test_a_stop_before_a_step_hands_the_job_back(bench: Bench) -> None:
    bench.job.step()
    bench.job.step()
    bench.desk.leaving.set()
    bench.run()
    assert bench.hooks.steps == ["train"]
    kind, step, body = bench.messages()[-1]
    assert (kind, step, body["class"]) == ("fail", "test", "interrupted")


def test_a_pause_hands_back_a_job_that_has_not_begun(bench: Bench) -> None:
    """It was claimed while the pause began, or comes from the journal after a reboot."""
    object.__setattr__(bench.desk, "is_paused", lambda: True)
    bench.run()
    assert bench.hooks.steps == []
    [(kind, step, body)] = bench.messages()
    assert (kind, step, body["class"]) == ("fail", "train", "interrupted")
    assert body["message"] == "the agent is paused", "the note of the pause stays here"
    assert [call for call in bench.platform.calls if call[0] == "beat"] == []


def test_a_pause_lets_a_job_in_hand_go_on_to_its_end(bench: Bench) -> None:
    bench.job.step()
    object.__setattr__(bench.desk, "is_paused", lambda: True)
    bench.run()
    assert bench.hooks.steps == ["train", "test", "infer"]
    assert bench.job.is_done


def test_a_step_that_was_cancelled_by_a_stop_is_handed_back(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.hooks.say(HookInterruptedError("stopped by a second signal"))
    with caplog.at_level("INFO"):
        bench.run()
    assert "handed back to the platform: stopped by a second signal" in caplog.text
    assert bench.messages()[-1][2]["class"] == "interrupted"


def test_a_lease_lost_while_a_hook_runs_stops_it_and_says_nothing(bench: Bench) -> None:
    def lose():
        bench.job.end("lost", "another attempt counted")
        raise HookInterruptedError("cancelled")

    bench.hooks.say(make_outcome(), lose)
    bench.run()
    assert bench.hooks.cancels == [30.0]
    assert [kind for kind, _, _ in bench.messages()] == ["commit"]
    assert bench.desk.journal.jobs() == []
    assert bench.desk.journal.next_message(PLATFORM) is None


def test_a_stop_says_nothing_of_a_job_whose_deliveries_have_lost_the_lease(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """An earlier life computed `train`; this one still waits for its first beat."""
    bench.desk.journal.put_commit(make_manifest(bench.claim, "train"), is_last=False)
    bench.job = bench.take_up()
    bench.desk.journal.supersede(bench.claim.lease, "a person took it back")
    bench.desk.leaving.set()
    with caplog.at_level("INFO"):
        bench.run()
    assert "handed back" not in caplog.text
    assert "lease lost before; the platform is not told: the agent was stopped" in caplog.text
    assert bench.desk.counters.jobs.amounts["lost"] == 1
    assert bench.desk.counters.jobs.amounts["interrupted"] == 0
    assert [kind for kind, _, _ in bench.messages()] == ["commit"]
    assert bench.desk.journal.next_message(PLATFORM) is None


def test_a_cancel_ends_the_job_with_a_message(bench: Bench) -> None:
    bench.platform.say("beat", HeartbeatAnswer(cancel="no longer needed"))
    bench.run()
    assert bench.hooks.runs == []
    assert bench.messages()[-1][2]["class"] == "cancelled"


class TestADiskThatRefuses:
    """Nothing may be sent that is not on disk, and nothing computed be thrown away."""

    def fill(self, bench: Bench) -> StepOutcome:
        bench.desk.disk.is_full = True
        return make_outcome()

    def test_a_result_is_kept_until_there_is_room(self, bench: Bench) -> None:
        bench.job.step()
        bench.hooks.say(lambda: self.fill(bench))
        assert [bench.job.step() for _ in range(3)] == [AGAIN_S] * 3
        assert bench.messages() == []
        assert "No space left" in bench.desk.disk_trouble.text
        bench.desk.disk.is_full = False
        bench.run()
        assert bench.hooks.steps == ["train", "test", "infer"], "computed once"
        assert [step for _, step, _ in bench.messages()] == ["train", "test", "infer"]
        assert bench.desk.disk_trouble.text == ""

    def test_a_result_that_is_durable_keeps_its_key_while_its_row_waits(self, bench: Bench) -> None:
        bench.job.step()
        with refusing(bench.desk.journal):
            assert bench.job.step() == AGAIN_S
            folder = bench.desk.outbox.result_folder("lease-1", "train")
            manifest = bench.desk.outbox.read(folder)
        bench.run()
        assert manifest is not None
        assert bench.messages()[0][2]["commit"]["key"] == manifest.commit.key

    def test_no_step_begins_without_room_for_its_process(self, bench: Bench) -> None:
        bench.job.step()
        bench.hooks.say(StoreFullError("no room to start in"))
        assert bench.job.step() == AGAIN_S
        assert bench.messages() == []
        bench.run()
        assert [step for _, step, _ in bench.messages()] == ["train", "test", "infer"]

    def test_a_failure_is_told_once_there_is_room_and_the_step_not_run_again(
        self, bench: Bench
    ) -> None:
        bench.job.step()
        bench.hooks.say(HookRaisedError("KeyError"))
        with refusing(bench.desk.journal):
            assert [bench.job.step(), bench.job.step()] == [AGAIN_S] * 2
        bench.run()
        assert bench.hooks.steps == ["train"]
        assert [kind for kind, _, _ in bench.messages()] == ["fail"]
        assert bench.job.has_failed

    def test_a_lost_lease_is_noted_once_that_is_possible(self, bench: Bench) -> None:
        bench.job.step()
        bench.job.end("lost", "another counted")
        with refusing(bench.desk.journal):
            assert [bench.job.step(), bench.job.step()] == [AGAIN_S] * 2
        bench.run()
        assert bench.desk.journal.jobs() == []

    def test_what_is_set_aside_is_given_up_for_a_result_at_once(
        self, tmp_path: Path, bench: Bench
    ) -> None:
        reserve = Reserve(tmp_path)
        reserve.keep()
        trouble = DiskTrouble(Storage(tmp_path, reserve, bench.desk.journal.try_writing))
        bench.desk = replace(bench.desk, disk_trouble=trouble)
        bench.job = bench.take_up()
        bench.job.step()
        bench.hooks.say(lambda: self.fill(bench))
        assert bench.job.step() == 0
        assert not (tmp_path / "reserve").exists()

    def test_a_stop_waits_for_a_result(self, bench: Bench) -> None:
        """It took hours; the stop's deadline bounds the waiting as it bounds a running step."""
        bench.job.step()
        bench.hooks.say(lambda: self.fill(bench))
        bench.job.step()
        bench.desk.leaving.set()
        assert bench.job.step() == AGAIN_S
        bench.desk.disk.is_full = False
        bench.run()
        kinds = [(kind, step) for kind, step, _ in bench.messages()]
        assert kinds == [("commit", "train"), ("fail", "test")]

    def test_a_stop_that_cancels_gives_a_result_up(self, bench: Bench) -> None:
        bench.job.step()
        bench.hooks.say(lambda: self.fill(bench))
        bench.job.step()
        bench.desk.leaving.set()
        bench.hooks.was_cancelled = True
        assert bench.job.step() is None
        assert bench.messages() == []
        assert bench.desk.journal.jobs()[0].state == "open", "the next start runs it again"
        assert bench.desk.disk_trouble.text == ""

    def test_a_stop_does_not_wait_to_hand_a_job_back(self, bench: Bench) -> None:
        bench.job.step()
        bench.desk.leaving.set()
        with refusing(bench.desk.journal):
            assert bench.job.step() is None
        assert bench.desk.journal.jobs()[0].state == "open"

    def test_old_checkpoints_that_cannot_be_removed_end_nothing(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = bench.desk.pipelines["digits"].checkpoints.dir / "digits"
        for loop in range(5):
            (folder / f"digits-ckpt_{loop}").mkdir(parents=True)

        def refuse(*_: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr("shutil.rmtree", refuse)
        bench.run()
        assert [step for _, step, _ in bench.messages()] == ["train", "test", "infer"]


def test_a_platform_elsewhere_gets_no_labels_and_no_texts_of_exceptions(tmp_path: Path) -> None:
    bench = Bench(tmp_path, full=False)
    bench.hooks.say(
        make_outcome(inline={"labels": [1, 2], "hyperparams": {"lr": 0.1}}),
        HookRaisedError(
            'p.py:3 in test: ValueError: patient "Smith"',
            traceback='Traceback (most recent call last):\n  File "/srv/p.py", line 3, in test\n'
            '    raise ValueError(name)\nValueError: patient "Smith"',
        ),
    )
    bench.run()
    text = json.dumps(bench.messages())
    assert "Smith" not in text
    assert "0.1" not in text
    assert "p.py:3" in text
    assert "ValueError" in text
    bench.desk.journal.close()


def test_a_platform_elsewhere_gets_no_folders(tmp_path: Path) -> None:
    bench = Bench(tmp_path, full=False)
    bench.hooks.say(
        make_outcome(warnings=("train wrote nothing into /srv/smith/digits (EXPT_DIR)",)),
        HookCrashedError("E-HOOK-12  digits/1 test: ended; see /srv/smith/log.txt"),
    )
    bench.run()
    text = json.dumps(bench.messages())
    assert "smith" not in text
    assert "nothing into digits (EXPT_DIR)" in text
    assert "see log.txt" in text
    bench.desk.journal.close()


def test_a_late_verdict_on_a_computed_job_leaves_the_next_jobs_hook_alone(bench: Bench) -> None:
    """The slot runs another job by then, on the same hook process."""
    bench.run()
    bench.job.end("lost", "another attempt counted")
    assert bench.hooks.cancels == []
    assert bench.desk.journal.next_message(PLATFORM) is None


def test_what_a_cancelled_job_computed_is_still_delivered(bench: Bench) -> None:
    bench.run()
    bench.job.end("cancelled", "no longer needed")
    assert bench.hooks.cancels == []
    assert bench.desk.journal.unsent().messages == 3


def test_a_cancel_just_before_a_step_is_not_missed(bench: Bench) -> None:
    bench.job.step()
    bench.job.step()
    assert bench.hooks.runs[0].is_wanted()
    bench.job.end("cancelled", "no longer needed")
    assert not bench.hooks.runs[0].is_wanted()


def test_a_revoked_token_is_told_while_a_job_waits_for_its_first_heartbeat(bench: Bench) -> None:
    told: list[Exception] = []
    bench.desk.heartbeats.on_fatal = told.append
    bench.platform.say("beat", NotAuthorizedError("revoked", problem="revoked"))
    bench.job.step()
    assert len(told) == 1
    assert bench.hooks.runs == []


def test_what_the_hooks_print_is_followed_from_the_first_beat_to_the_end(bench: Bench) -> None:
    bench.job.step()
    assert not bench.desk.logs.is_idle
    file = bench.desk.log_file(bench.claim)
    file.parent.mkdir()
    file.write_text("epoch 1\n")
    bench.run()
    bench.desk.logs.step()
    assert ("put_log", "lease-1", 1, 0, b"epoch 1\n") in bench.platform.calls


@pytest.mark.parametrize(
    "failure", [HookRaisedError("KeyError"), HookInterruptedError("stopped"), None]
)
def test_however_a_job_ends_the_rest_of_its_log_is_sent(
    bench: Bench, failure: Exception | None
) -> None:
    if failure is None:
        bench.job.step()
        bench.job.end("cancelled", "by a person")
    else:
        bench.hooks.say(failure)
    bench.run()
    while bench.desk.logs.step() == 0:
        pass
    assert bench.desk.logs.is_idle


class TestPartialCheckpoints:
    """What an interrupted train left lies on this agent, for the next attempt."""

    @pytest.fixture
    def folder(self, bench: Bench) -> Path:
        made = bench.desk.pipelines["digits"].checkpoints.dir / "digits"
        made.mkdir(parents=True)
        (made / "digits-ckpt_1.partial").touch()
        return made

    def failed(self, bench: Bench, error: Exception) -> dict:
        bench.hooks.say(error)
        bench.run()
        return bench.messages()[-1][2]

    @pytest.mark.parametrize("error", [HookInterruptedError("stopped"), HookCrashedError("killed")])
    def test_it_is_durable_before_the_platform_is_told_of_it(
        self, bench: Bench, folder: Path, error: Exception
    ) -> None:
        put, order = bench.desk.journal.put_failure, []
        bench.desk.journal.put_failure = lambda *args: (
            order.append(list(bench.desk.disk.synced_trees)),
            put(*args),
        )
        assert self.failed(bench, error)["partial"] == "digits-ckpt_1.partial"
        assert order == [[folder]]

    def test_one_that_cannot_be_made_durable_is_not_promised(
        self, bench: Bench, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_folder: Path) -> None:
            raise StoreError("Input/output error")

        bench.desk.disk.sync_tree = fail
        assert self.failed(bench, HookInterruptedError("stopped"))["partial"] is None
        assert "digits-ckpt_1.partial may not last: Input/output error" in caplog.text

    def test_without_one_nothing_is_synced_and_nothing_told(self, bench: Bench) -> None:
        assert self.failed(bench, HookInterruptedError("stopped"))["partial"] is None
        assert bench.desk.disk.synced_trees == []

    def test_a_cancelled_job_has_no_next_attempt(self, bench: Bench, folder: Path) -> None:
        bench.job.step()
        bench.job.end("cancelled", "no longer needed")
        bench.run()
        assert bench.messages()[-1][2]["partial"] is None

    def test_a_step_after_train_tells_of_none(self, bench: Bench, folder: Path) -> None:
        bench.hooks.say(make_outcome(), HookInterruptedError("stopped"))
        (folder / "digits-ckpt_2.partial").touch()
        bench.run()
        assert bench.messages()[-1][2]["partial"] is None

    def test_it_goes_when_the_loop_is_trained(self, bench: Bench, folder: Path) -> None:
        bench.job.step()
        bench.job.step()
        assert list(folder.iterdir()) == []

    def test_it_stays_until_the_result_of_train_is_durable(
        self, bench: Bench, folder: Path
    ) -> None:
        bench.hooks.say(lambda: (setattr(bench.desk.disk, "is_full", True), make_outcome())[1])
        bench.job.step()
        assert bench.job.step() == AGAIN_S
        assert (folder / "digits-ckpt_1.partial").exists()

    def test_the_hook_process_is_told_which_experiment_it_is(self, bench: Bench) -> None:
        bench.run()
        assert {run.experiment_id for run in bench.hooks.runs} == {"experiment-1"}
