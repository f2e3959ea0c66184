"""Jobs of a lost journal are found again in their results."""

from pathlib import Path

import pytest

from alectio_agent.agent.jobs.rebuilding import HANDED_BACK
from alectio_agent.agent.jobs.recovery import reconcile
from alectio_agent.agent.journal.history import past_jobs
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.origin import Origin
from alectio_agent.agent.journal.outbox import Manifest, Outbox
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk


class Site:
    """An outbox that outlives its journals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = MemoryDisk()
        self.outbox = Outbox(self.disk, Path("/outbox"))
        self.journals: list[Journal] = []

    def complete(self, claim: Claim, *steps: str, at: str = "", is_old: bool = False) -> None:
        for step in steps:
            manifest = make_manifest(
                claim, step, key=f"{claim.lease}-{step}", finished_at=at or f"2026-{step}"
            )
            origin = None if is_old else Origin.of(claim)
            self.outbox.open_result(claim.lease, step)
            self.outbox.complete(manifest.model_copy(update={"origin": origin}))

    def start(self) -> Journal:
        """A start of the agent after its journal was lost."""
        for old in self.folder.glob("agent.db*"):
            old.unlink()
        journal = Journal(self.folder / "agent.db", FakeClock())
        self.journals.append(journal)
        reconcile(journal, self.outbox)
        return journal


@pytest.fixture
def site(tmp_path: Path):
    made = Site(tmp_path)
    yield made
    for journal in made.journals:
        journal.close()


def sent(journal: Journal, platform_id: str = PLATFORM) -> list[tuple[str, str, str | None]]:
    """What goes out, in order."""
    found = []
    while message := journal.next_message(platform_id):
        found.append((message.lease, message.kind, message.step))
        journal.settle(message)
    return found


def test_a_job_with_all_its_results_is_delivered_again_in_order(site: Site) -> None:
    site.complete(make_claim(), "infer", "train", "test")
    journal = site.start()
    assert [job.state for job in journal.jobs(PLATFORM)] == ["computed"]
    assert journal.leases() == ["lease-1"]
    assert sent(journal) == [("lease-1", "commit", step) for step in ("train", "test", "infer")]
    assert journal.jobs() == []


def test_a_result_keeps_its_key_so_that_it_is_counted_once(site: Site) -> None:
    site.complete(make_claim(), "train", "test", "infer")
    message = site.start().next_message(PLATFORM)
    assert message is not None
    assert message.key == "lease-1-train"
    assert Manifest.model_validate_json(message.body).commit.key == "lease-1-train"


def test_a_job_with_steps_left_to_do_is_handed_back_behind_its_results(site: Site) -> None:
    """Its claim is gone, and with it the samples of `infer`: only the platform knows them."""
    site.complete(make_claim(), "train", "test")
    journal = site.start()
    assert [job.state for job in journal.jobs()] == ["computed"]
    for _ in range(2):
        message = journal.next_message(PLATFORM)
        assert message is not None
        assert message.kind == "commit"
        assert not journal.settle(message)
    last = journal.next_message(PLATFORM)
    assert last is not None
    failure = JobFailure.model_validate_json(last.body)
    assert (failure.failure_class, failure.step) == ("interrupted", "infer")
    assert failure.message == HANDED_BACK
    assert journal.settle(last)


def test_the_job_is_known_as_it_was(site: Site) -> None:
    claim = make_claim(attempt=3, loop=7, job="digits/7", seed=9)
    site.complete(claim, "train")
    [job] = site.start().jobs()
    assert (job.claim.job_id, job.claim.attempt, job.claim.loop) == ("job-1", 3, 7)
    assert (job.claim.experiment, job.claim.pipeline, job.claim.seed) == ("digits", "digits", 9)
    assert [order.payload.ckpt_file for order in job.claim.steps] == ["digits-ckpt_1"] * 3
    [past] = past_jobs(site.folder, 5)
    assert (past.job, past.attempt, past.done) == ("digits/7", 3, ("train",))
    assert past.steps == ("train", "test", "infer")


def test_an_attempt_without_train_has_no_gap(site: Site) -> None:
    claim = make_claim(steps=[order.model_dump() for order in make_claim().steps[1:]])
    site.complete(claim, "test", "infer")
    assert sent(site.start()) == [("lease-1", "commit", step) for step in ("test", "infer")]


def test_results_behind_a_gap_are_kept_and_the_job_goes_back_from_the_gap(site: Site) -> None:
    """The platform takes steps in order: what follows a result that is damaged can only be kept."""
    site.complete(make_claim(), "train", "test", "infer")
    site.disk.write(Path("/outbox/lease-1.test/manifest.json"), b"\0" * 300)
    journal = site.start()
    [past] = past_jobs(site.folder, 5)
    assert past.failure is not None
    assert past.failure.step == "test"
    assert past.reason == "the result of test, which comes before it, cannot be used any more"
    assert sent(journal) == [("lease-1", "commit", "train"), ("lease-1", "fail", "test")]
    assert {folder.name for folder in site.outbox.folders()} == {
        "lease-1.train", "lease-1.test.damaged-1", "lease-1.infer",
    }  # fmt: skip
    assert "infer" not in {result.step for result in journal.keeping.ended()}


def test_jobs_are_delivered_in_the_order_in_which_they_were_computed(site: Site) -> None:
    late, early = make_claim(lease="a"), make_claim(lease="z", job_id="job-0", job="digits/0")
    site.complete(late, "train", "test", "infer", at="2026-02-02")
    site.complete(early, "train", "test", "infer", at="2026-01-01")
    assert [lease for lease, _, step in sent(site.start()) if step == "infer"] == ["z", "a"]


def test_results_of_another_platform_wait_for_it(site: Site) -> None:
    site.complete(make_claim(), "train", "test", "infer")
    journal = site.start()
    assert journal.next_message("platform-2") is None
    assert journal.foreign_count("platform-2") == 1
    assert journal.unsent().messages == 3


def test_a_crash_between_two_jobs_leaves_the_rest_to_the_next_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        claim = make_claim(lease=f"lease-{number}", job_id=f"job-{number}")
        site.complete(claim, "train", "test")
    journal = Journal(site.folder / "agent.db", FakeClock())
    site.journals.append(journal)
    restore, count = journal.restore, iter(range(3))

    def die_at_the_second(found: object) -> None:
        if next(count) == 1:
            raise KeyboardInterrupt
        restore(found)  # type: ignore[arg-type]

    monkeypatch.setattr(journal, "restore", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        reconcile(journal, site.outbox)
    assert journal.unsent().messages == 3
    monkeypatch.undo()
    reconcile(journal, site.outbox)
    reconcile(journal, site.outbox)
    assert journal.unsent().messages == 9


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        (("train", "test", "infer"), ["commit", "commit", "commit"]),
        (("infer",), ["commit"]),
        (("train", "test"), ["commit", "commit", "fail"]),
    ],
)
def test_what_an_earlier_version_wrote_is_delivered_too(
    site: Site, steps: tuple[str, ...], kinds: list[str]
) -> None:
    """It did not say which steps there were. Handing back a job that is done does no harm."""
    site.complete(make_claim(), *steps, is_old=True)
    journal = site.start()
    [job] = journal.jobs()
    assert (job.claim.experiment, job.claim.loop, job.claim.attempt) == ("digits", 1, 1)
    assert [kind for _, kind, _ in sent(journal)] == kinds


def test_a_job_with_a_name_of_another_form_is_delivered_too(site: Site) -> None:
    site.complete(make_claim(job="x" * 80), "train", "test", "infer", is_old=True)
    assert len(sent(site.start())) == 3
