"""Journal, outbox and leases under any order of steps, kills and power cuts: Hypothesis looks."""

import random
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alectio_agent.agent.jobs.recovery import reconcile
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import MANIFEST, Manifest, Outbox
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure, StepCommit
from tests.simulation.disk import SimDisk
from tests.simulation.faults import Faults
from tests.simulation.kept_database import KeptDatabase, Platter
from tests.support.claims import PLATFORM, make_claim

STEPS = ("train", "test", "infer")


class StillClock:
    """A clock on which nothing happens."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class JournalMachine(RuleBasedStateMachine):
    """One machine: what it was promised is kept in plain lists beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.platter = Platter()
        self.claims: dict[str, Claim] = {}
        self.durable: dict[str, list[str]] = {}
        self.ended: dict[str, str] = {}
        self.failed: set[str] = set()
        self.seq = 0

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.disk = SimDisk(self.folder / "disk", Faults(self.rng), lambda _: None)
        self._open()

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)

    @rule()
    def claim(self) -> None:
        self.seq += 1
        claim = make_claim(loop=self.seq)
        claim = claim.model_copy(update={"lease": f"lease-{self.seq}", "job_id": f"job-{self.seq}"})
        self.journal.put_claim("boot", self.seq, claim, PLATFORM)
        self.claims[claim.lease] = claim
        self.durable[claim.lease] = []

    @precondition(lambda self: self._open_leases())
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """A step ends; the process may die between its manifest and its message."""
        lease = data.draw(st.sampled_from(self._open_leases()))
        done, left = self.durable[lease], STEPS[len(self.durable[lease]) :]
        manifest = self._manifest(lease, left[0])
        self.outbox.open_result(lease, left[0])
        self.outbox.complete(manifest)
        done.append(left[0])
        if data.draw(st.booleans()):
            self.journal.put_commit(manifest, is_last=len(left) == 1)
        else:
            self._die(data.draw(st.booleans()))

    @precondition(lambda self: self._open_leases())
    @rule(data=st.data())
    def die_before_a_result_is_durable(self, data: st.DataObject) -> None:
        """The manifest has its name, its folder's name is not synced; the next start finds it."""
        lease = data.draw(st.sampled_from(self._open_leases()))
        step = STEPS[len(self.durable[lease])]
        folder = self.outbox.open_result(lease, step)
        self.disk.write(folder / MANIFEST, self._manifest(lease, step).text.encode())
        self._die(is_cut=False)
        self.durable[lease].append(step)

    @precondition(lambda self: self._open_leases())
    @rule(data=st.data(), is_cut=st.booleans())
    def die_within_a_step(self, data: st.DataObject, is_cut: bool) -> None:
        lease = data.draw(st.sampled_from(self._open_leases()))
        folder = self.outbox.open_result(lease, STEPS[len(self.durable[lease])])
        self.disk.put(folder / "part-0", b"half of it", is_synced=False)
        self._die(is_cut)

    @precondition(lambda self: self._open_leases())
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self._open_leases()))
        failure = {"key": f"fail-{lease}", "class": "crash", "message": "gone"}
        self.journal.put_failure(lease, JobFailure.model_validate(failure))
        self.failed.add(lease)

    @rule(verdict=st.sampled_from(["settle", "park", "supersede"]))
    def deliver(self, verdict: str) -> None:
        message = self.journal.next_message(PLATFORM)
        if message is None:
            return
        key = f"{message.kind} {message.step} {message.lease}"
        if verdict == "supersede":
            self.journal.supersede(message.lease, "another counted")
            self.ended[message.lease] = "superseded"
        elif verdict == "park":
            self.journal.park(message, "refused")
            self.ended[key] = "parked"
        else:
            self.journal.settle(message)
            self.ended[key] = "settled"

    @rule()
    def kill(self) -> None:
        self._die(is_cut=False)

    @rule()
    def cut_power(self) -> None:
        self._die(is_cut=True)

    @invariant()
    def no_durable_result_is_forgotten(self) -> None:
        if not hasattr(self, "journal"):
            return
        for lease, steps in self.durable.items():
            known = self.journal.steps_done(lease)
            if self.ended.get(lease) != "superseded":
                assert known == set(steps), (lease, known, steps)

    @invariant()
    def every_claim_is_kept_and_none_ends_by_itself(self) -> None:
        if not hasattr(self, "journal"):
            return
        held = set(self.journal.leases())
        for lease in self.claims:
            is_over = lease not in held
            if is_over and self.ended.get(lease) != "superseded":
                commits = [f"commit {step} {lease}" in self.ended for step in self.durable[lease]]
                is_whole = len(commits) == len(STEPS) or f"fail None {lease}" in self.ended
                assert all(commits), f"{lease} was closed before all was delivered"
                assert is_whole, f"{lease} was closed with steps to do"

    @invariant()
    def messages_of_a_job_are_in_order(self) -> None:
        if not hasattr(self, "journal"):
            return
        rows = self.journal._database.query("SELECT lease, kind, step FROM messages ORDER BY id")
        for lease in self.claims:
            own = [row["step"] for row in rows if row["lease"] == lease and row["kind"] == "commit"]
            assert own == list(STEPS[: len(own)])
            kinds = [row["kind"] for row in rows if row["lease"] == lease]
            assert "fail" not in kinds[:-1]

    def _open_leases(self) -> list[str]:
        """Jobs with steps still to do."""
        return [
            lease
            for lease, steps in self.durable.items()
            if len(steps) < len(STEPS) and lease not in self.failed and lease not in self.ended
        ]

    def _manifest(self, lease: str, step: str) -> Manifest:
        claim = self.claims[lease]
        commit = StepCommit(key=f"{step}-{lease}", media_type="application/json", rows=0, inline={})
        return Manifest(
            platform_id=PLATFORM, job=claim.job, job_id=claim.job_id, lease=lease,
            step=step, commit=commit,
        )  # fmt: skip

    def _die(self, is_cut: bool) -> None:
        self.journal.close()
        if is_cut:
            self.platter.cut_power(self.rng)
            self.disk.cut_power()
        self._open()

    def _open(self) -> None:
        def open_database(path: Path, schema: str, version: int, **more: object) -> KeptDatabase:
            return KeptDatabase(self.platter, lambda _: None, path, schema, version, **more)

        self.journal = Journal(self.folder / "agent.db", StillClock(), open_database)
        self.outbox = Outbox(self.disk, self.folder / "disk" / "state" / "outbox")
        reconcile(self.journal, self.outbox)


TestJournalMachine = pytest.mark.timeout(300)(JournalMachine.TestCase)
TestJournalMachine.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
