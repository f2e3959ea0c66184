"""Watches what happens, and says when a promise is broken; it keeps books of its own."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from alectio_agent.agent.client.transport import Request, Response
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.records import find_attempt
from alectio_agent.hub.store.tables import attempts
from alectio_agent.wire.agents import Registration
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.protocol import LEASE_HEADER, STEPS
from alectio_agent.wire.results import JobFailure, StepCommit

if TYPE_CHECKING:
    from tests.simulation.life import Life
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

COMMIT = re.compile(r"/v1/jobs/(\w+)/steps/(\w+)")
FAIL = re.compile(r"/v1/jobs/(\w+)/fail")
BEAT = re.compile(r"/v1/jobs/(\w+)/heartbeat")


@dataclass
class Lease:
    """One attempt, by the rules as they are written down."""

    lease: str
    job_id: str
    agent_id: str
    boot: str
    seq: int
    steps: list[str]
    ended: str = ""
    is_started: bool = False
    committed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """What one hook run made, by its id."""

    lease: str
    step: str
    machine: str


class Judge:
    """One for a whole run."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.leases: dict[str, Lease] = {}
        self.runs: dict[str, Run] = {}
        self.durable_results: dict[tuple[str, str], Manifest] = {}
        self.accepted_keys: dict[str, str] = {}
        """Key of each message that the hub took, to the digest of what it said."""
        self._recalled = set[str]()
        self._overtaken = set[str]()
        """Attempts that were there when another one's result was taken, told of or not."""
        self._polls: dict[tuple[str, int], str] = {}
        self._journalled: dict[str, tuple[str, str, int]] = {}
        self._beaten: set[tuple[str, int, str]] = set()
        self._running: dict[tuple[str, int], tuple[str, int]] = {}

    # Claims

    def given(self, wanted: ClaimRequest, claim: Claim) -> None:
        """The hub answers a poll with a job."""
        known = self.leases.get(claim.lease)
        poll = wanted.boot, wanted.seq
        if known is not None:
            if (known.boot, known.seq) != poll:
                self._violate(f"{claim.job}: one lease was given to two polls")
            return
        before = self.leases.get(self._polls.get(poll, ""))
        if before is not None and self._is_open(before):
            self._violate(f"{claim.job}: poll {wanted.seq} of one boot got two jobs")
        steps = [order.step for order in claim.steps]
        self.leases[claim.lease] = Lease(
            claim.lease, claim.job_id, wanted.agent_id, wanted.boot, wanted.seq, list(steps)
        )
        self._polls[poll] = claim.lease
        if claim.lease in self._recalled:
            self.leases[claim.lease].ended = "recalled"
        elif claim.lease in self._overtaken:
            # The answer lay about for long, such as before an agent that was stopped.
            self.leases[claim.lease].ended = "superseded"
        self._world.history.note("given", job=claim.job, lease=claim.lease, attempt=claim.attempt,
                                 seq=wanted.seq, boot=wanted.boot, steps=steps)  # fmt: skip

    def journalled(self, machine: "Machine", boot: str, seq: int, claim: Claim) -> None:
        """An agent has taken a job."""
        lease = claim.lease
        if lease in self._journalled:
            self._violate(f"{claim.job}: journalled twice")
        if any(boot == other[1] and seq == other[2] for other in self._journalled.values()):
            self._violate(f"{machine.name}: two jobs were journalled under claim number {seq}")
        self._journalled[lease] = machine.name, boot, seq
        machine.note("journalled", job=claim.job, lease=lease, seq=seq)

    def registered(self, agent_id: str, said: Registration, *, is_copy: bool) -> None:
        """An agent says what it holds; only what it really says now counts."""
        if is_copy:
            return
        for lease in self.leases.values():
            if lease.agent_id != agent_id or lease.ended or lease.lease in said.holding:
                continue
            if lease.boot != said.boot.id or self._is_older(lease.lease, said.seq):
                lease.ended = "lost"

    def _is_older(self, lease: str, seq: int | None) -> bool:
        """Whether an agent had taken a job before it began to say what it holds."""
        known = self._journalled.get(lease)
        return known is not None and (seq is None or known[2] <= seq)

    # Hooks

    def hook_starts(
        self, life: "Life", slot: int, lease: str, step: str, run: str, pgid: int
    ) -> None:
        """User code begins to run."""
        machine = life.machine
        self.runs[run] = Run(lease, step, machine.name)
        if (machine.name, life.number, lease) not in self._beaten:
            self._violate(f"{machine.name}: {step} runs before a beat was accepted")
        if (lease, step) in self.durable_results:
            self._violate(f"{machine.name}: {step} runs again, though its result is durable")
        others = [
            process for process in machine.processes.living
            if process.slot == slot and process.pgid != pgid
        ]  # fmt: skip
        if others:
            self._violate(f"{machine.name}: {step} runs beside {len(others)} other hook process")

    def durable(self, machine: "Machine", manifest: Manifest) -> None:
        """An agent holds a result to be durable: from here on it is never lost."""
        machine.note("durable", job=manifest.job, lease=manifest.lease, step=manifest.step,
                     key=manifest.commit.key)  # fmt: skip
        self.durable_results[manifest.lease, manifest.step] = manifest

    def checkpoint_gone(self, machine: "Machine", lease: str) -> None:
        """A step did not find what its own train wrote."""
        if (lease, "train") in self.durable_results:
            self._violate(f"{machine.name}: the checkpoint of a durable train result is gone")

    # Messages, as agents send them

    def sent(self, life: "Life", request: Request, body: bytes) -> None:
        """A message goes out: all before it have been answered."""
        commit, fail = COMMIT.fullmatch(request.path), FAIL.fullmatch(request.path)
        if commit is None and fail is None:
            return
        lease = request.headers[LEASE_HEADER]
        earlier = STEPS[: STEPS.index(commit[2])] if commit else STEPS
        for step in earlier:
            manifest = self.durable_results.get((lease, step))
            if manifest is not None and manifest.commit.key not in self.accepted_keys:
                what = commit[2] if commit else "a failure"
                self._violate(f"{life.machine.name}: {what} is sent before {step} was accepted")

    def delivered(self, life: "Life", request: Request, response: Response) -> None:
        """An answer reached the agent."""
        if response.status == 200 and BEAT.fullmatch(request.path):
            try:
                is_good = json.loads(response.body).get("cancel", "") is None
            except ValueError:
                return
            if is_good:
                key = life.machine.name, life.number, request.headers[LEASE_HEADER]
                self._beaten.add(key)

    def forge(self, request: Request, body: bytes) -> bytes | None:
        """Another result under a key that was taken, as a copied state folder might send it."""
        if COMMIT.fullmatch(request.path) is None:
            return None
        said = json.loads(body)
        if said["key"] not in self.accepted_keys or said["inline"] is None:
            return None
        said["inline"] = {**said["inline"], "forged": True}
        return json.dumps(said).encode()

    # Messages, as the hub takes them

    def before_commit(self, job_id: str, step: str, lease: str, said: StepCommit) -> "Taking":
        """A commit is about to be judged by the hub."""
        return Taking(self, job_id, step, lease, said.key, _digest(said.content(step)))

    def before_fail(self, job_id: str, lease: str, said: JobFailure) -> "Taking":
        """A failure is about to be judged by the hub."""
        return Taking(self, job_id, "", lease, said.key, _digest(said.content()))

    def refused(self, request: Request, error: ProblemError) -> None:
        """The hub gives a verdict: a lease must not be lost for nothing."""
        note = self._world.history.note
        note("refused", call=f"{request.method} {request.path}", problem=error.problem,
             why=error.message)  # fmt: skip
        lease = self.leases.get(request.headers.get(LEASE_HEADER, ""))
        if error.problem == "lease-lost" and lease is not None and not lease.ended:
            state = self._state(lease)
            if state == "returned" and not lease.is_started:
                lease.ended = state
                return
            self._violate(f"the lease of a good attempt is refused ({state}): {error.message}")

    def recalled(self, found: set[str]) -> None:
        """A person took jobs back; nobody else may."""
        self._recalled |= found
        for name in found & self.leases.keys():
            if not self.leases[name].ended:
                self.leases[name].ended = "recalled"

    def _is_open(self, lease: Lease) -> bool:
        return not lease.ended and self._state(lease) in ("claimed", "started")

    def attempts_at(self, job_id: str) -> set[str]:
        """Leases of all attempts at a job, told of or not."""
        query = select(attempts.c.lease).where(attempts.c.job_id == job_id)
        store = self._world.hub.store
        return set(store.read(lambda tx: tx.execute(query).scalars().all()).result())

    def _state(self, lease: Lease) -> str:
        found = self._world.hub.store.read(lambda tx: find_attempt(tx, lease.lease)).result()
        return found.state if found is not None else "unknown"

    def take(self, taking: "Taking") -> None:
        """The hub has taken a message."""
        known = self.accepted_keys.get(taking.key)
        if known is not None:
            if known != taking.digest:
                self._violate(f"key {taking.key[:8]} was taken again with other content")
            return
        self.accepted_keys[taking.key] = taking.digest
        lease = self.leases.get(taking.lease)
        if lease is None:
            self._violate("a message with a lease that was never given was taken")
            return
        what = taking.step or "failure"
        self._world.history.note("taken", lease=taking.lease, step=what, key=taking.key)
        if lease.ended or taking.state not in ("claimed", "started"):
            why = lease.ended or taking.state
            self._violate(f"a stale {what} was taken: its lease had ended ({why})")
        if not taking.step:
            lease.ended = "failed"
            return
        expected = next((step for step in lease.steps if step not in lease.committed), None)
        if taking.step != expected:
            self._violate(f"{taking.step} was taken out of order; expected {expected}")
        lease.is_started = True
        lease.committed.append(taking.step)
        for other in self.leases.values():
            if other.job_id == lease.job_id and other is not lease and not other.ended:
                other.ended = "superseded"
        self._overtaken |= taking.others
        if lease.committed == lease.steps:
            lease.ended = "done"

    def state_of(self, lease: str) -> str:
        """What the tables say of an attempt now."""
        known = self.leases.get(lease)
        return "unknown" if known is None else self._state(known)

    def beat_taken(self, lease: str) -> None:
        """The hub took a beat."""
        if lease in self.leases:
            self.leases[lease].is_started = True

    def _violate(self, what: str) -> None:
        self._world.history.violate(what)


class Taking:
    """A message between its arrival and the hub's answer."""

    def __init__(
        self, judge: Judge, job_id: str, step: str, lease: str, key: str, digest: str
    ) -> None:
        self.job_id, self.step, self.lease = job_id, step, lease
        self.key, self.digest = key, digest
        self._judge = judge
        self.state = judge.state_of(lease)
        self.others = judge.attempts_at(job_id) - {lease}

    def accepted(self) -> None:
        """The hub has taken it."""
        self._judge.take(self)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
