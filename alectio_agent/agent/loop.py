"""The poll loop: registers, takes up what the journal holds, then asks for work."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.hold import Hold
from alectio_agent.agent.client.poll_trouble import PollTrouble
from alectio_agent.agent.client.verdicts import rule
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.desk import Desk
from alectio_agent.agent.jobs.disk_trouble import CLAIMS
from alectio_agent.agent.jobs.heartbeats import Ending, Heartbeats
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.validation import refusal
from alectio_agent.agent.journal.identity import Identity
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.core.errors import (
    InvalidClaimError,
    NotAuthorizedError,
    PlatformError,
    PlatformUnavailableError,
    ProtocolMismatchError,
    StoreUnavailableError,
)
from alectio_agent.wire.agents import Registered
from alectio_agent.wire.claims import Claim, ClaimRequest, Refusal
from alectio_agent.wire.protocol import POLL_WAIT_S

log = logging.getLogger(__name__)

IDLE_S = 3600.0
MOST_TRIES = 5
"""An agent that leaves when there is no work gives up on a platform that it never reached."""
UNSENT_HOLD_S = 2.0
"""While a result is under way, a long poll would make an agent that leaves wait twice."""
LOOK_AGAIN_S = 10.0
"""Between looks at whether jobs may be asked for again; whoever changes that wakes the loop."""
MOST_EMPTY = 3
"""Empty answers in a row of a platform that does not hold polls: it may be choosing samples."""


@dataclass(frozen=True)
class Rooms:
    """The parts of the agent that the poll loop feeds."""

    desk: Desk
    slot: Slot
    sender: Sender
    heartbeats: Heartbeats

    @property
    def journal(self) -> Journal:
        """The agent's memory."""
        return self.desk.journal


class PollLoop:
    """A step object: one turn registers, or polls once."""

    def __init__(
        self,
        client: PlatformClient,
        announcement: Announcement,
        identity: Identity,
        rooms: Rooms,
        rng: random.Random,
        wake: threading.Event,
    ) -> None:
        """Start unregistered.

        `reasons` are asked before each poll: a text that is not empty says why no job is asked for
        now. `held_back` is what they said last.

        Args:
            client: On a connection of its own.
            announcement: What this agent says of itself.
            identity: Of this boot.
            rooms: Where jobs go.
            rng: For the jitter of waits.
            wake: Set when the slot is free again.
        """
        self._client = client
        self._announcement = announcement
        self._identity = identity
        self._rooms = rooms
        self._rng = rng
        self.on_fatal: Callable[[PlatformError], None] = _raise
        self.quota = Quota()
        self._empty_polls = 0
        self.on_done: Callable[[], None] = _nothing
        self.on_names_wanted: Callable[[str, list[str]], None] = _send_none
        self._trouble = PollTrouble(rng)
        self._hold = Hold(POLL_WAIT_S)
        self._registered: Registered | None = None
        self._waiting: list[tuple[Claim, str]] = []
        self._taken: set[str] = set()
        self._refused: Refusal | None = None
        self._is_idle = False
        self.reasons: list[Callable[[], str]] = []
        self.held_back = ""
        self.wake = wake

    @property
    def agent_id(self) -> str | None:
        """As the platform named it; None before the first registration."""
        return self._registered.agent_id if self._registered else None

    @property
    def failing(self) -> str:
        """Why polls fail, after three failures in a row; empty before."""
        return self._trouble.lasting

    @property
    def trouble(self) -> str:
        """Why the platform gives no work; empty while it answers."""
        return self._trouble.text

    def step(self) -> float:
        """Do one turn.

        Returns:
            Seconds to wait before the next.
        """
        try:
            wait_s = self._turn()
        except PlatformError as error:
            return self._failed(error)
        except StoreUnavailableError as error:
            # A claim that is not in the journal is not run: its number was not counted, and the
            # platform is asked for the same again.
            self._rooms.desk.disk_trouble.met(CLAIMS, error)
            return LOOK_AGAIN_S
        self._trouble.succeeded()
        return wait_s

    def _turn(self) -> float:
        if self._registered is None:
            self._register()
        if not self._rooms.slot.is_free:
            return IDLE_S
        if self.quota.is_spent:
            self.on_done()
            return IDLE_S
        if self._waiting:
            self._give(*self._waiting.pop(0))
            return 0.0
        if self._is_held_back():
            return LOOK_AGAIN_S
        return self._poll(self._registered) if self._registered else 0.0

    def _is_held_back(self) -> bool:
        """Whether something speaks against a job now; said when it changes."""
        reason = next(filter(None, (ask() for ask in self.reasons)), "")
        if reason and reason != self.held_back:
            log.warning("no job is asked for: %s", reason)
        elif self.held_back and not reason:
            log.info("jobs are asked for again")
        self.held_back = reason
        return bool(reason)

    def _register(self) -> None:
        said = self._announcement
        holding = self._rooms.journal.leases()
        registered = self._client.register(said.registration(self._identity, holding))
        self._trouble.reached()
        log.info("registered as %s", said.name)
        self._hold.ask(registered.poll_wait_s)
        self._rooms.heartbeats.set_lease(registered.lease_s)
        self._rooms.sender.set_platform(registered.platform_id)
        self.on_names_wanted(registered.agent_id, registered.names_wanted)
        self._take_up(registered.platform_id)
        self._registered = registered

    def _take_up(self, platform_id: str) -> None:
        """Go on with the jobs of the journal that are not in hand yet."""
        for job in self._rooms.journal.jobs(platform_id):
            lease = job.claim.lease
            if lease in self._taken:
                continue
            self._taken.add(lease)
            if job.state == "open":
                log.info("%s goes on where it was", job.claim.job)
                self._waiting.append((job.claim, platform_id))
            else:
                self._rooms.heartbeats.hold(job.claim, self._on_end(lease))
                self._rooms.heartbeats.deliver(lease)
                desk = self._rooms.desk
                desk.logs.follow(job.claim, desk.log_file(job.claim))
                desk.logs.end(lease)

    def _on_end(self, lease: str) -> Callable[[Ending, str], None]:
        def end(ending: Ending, reason: str) -> None:
            if ending == "lost":  # what a cancelled job computed is still delivered
                self._rooms.journal.supersede(lease, reason)

        return end

    def _poll(self, registered: Registered) -> float:
        boot = self._identity.boot.id
        # A poll that began before the last result had arrived may be empty because of that.
        had_sent_all = self._rooms.sender.is_idle
        seq = self._rooms.journal.last_seq(boot) + 1
        request = ClaimRequest(
            agent_id=registered.agent_id,
            boot=boot,
            seq=seq,
            wait_s=self._wait_s(had_sent_all=had_sent_all),
            free=list(self._announcement.offers),
            refused=self._refused,
        )
        try:
            answer, passed_s = self._ask(request)
        except InvalidClaimError as error:
            self._refuse(boot, seq, f"the claim breaks the protocol: {error.message}")
            return self._hold.pause_s(self._rng, 0.0, None)  # the next may be no better
        self._refused = None
        self._note_idle(is_idle=answer is None)
        if isinstance(answer, Claim):
            self._empty_polls = 0
            self._take(boot, seq, answer, registered.platform_id)
            return 0.0
        if answer is None:
            self._empty_polls = self._empty_polls + 1 if had_sent_all else 0
            if self._has_nothing_to_do(passed_s):
                self.on_done()
                return IDLE_S
        return self._hold.pause_s(self._rng, passed_s, answer)

    def _wait_s(self, *, had_sent_all: bool) -> float:
        """How long to ask to be held; briefly when an empty answer would not count."""
        longest_s = self._hold.wait_s
        if self.quota.leaves_when_idle and not had_sent_all:
            return min(longest_s, UNSENT_HOLD_S)
        return longest_s

    def _ask(self, request: ClaimRequest) -> tuple[Claim | float | None, float]:
        """Poll, and learn from it how long the line bears; the answer and the seconds it took."""
        clock = self._rooms.desk.clock
        started_s = clock.monotonic()
        try:
            answer = self._client.claim(request)
        except PlatformUnavailableError as error:
            if self._hold.failed(error, clock.monotonic() - started_s):
                self._trouble.expect()
            raise
        passed_s = clock.monotonic() - started_s
        self._hold.answered(passed_s)
        return answer, passed_s

    def _has_nothing_to_do(self, passed_s: float) -> bool:
        """Whether an agent that leaves when there is no work has seen enough empty answers."""
        enough = 1 if self._hold.was_held(passed_s) else MOST_EMPTY
        return self.quota.leaves_when_idle and self._empty_polls >= enough

    def _note_idle(self, *, is_idle: bool) -> None:
        """Say once that there is no job, so that nobody wonders what is waited for."""
        if is_idle and not self._is_idle and not self._rooms.desk.leaving.is_set():
            log.info("no job now; waiting for one")
        self._is_idle = is_idle

    def _take(self, boot: str, seq: int, claim: Claim, platform_id: str) -> None:
        said = self._announcement
        reason = refusal(claim, said.offers, partial(said.digest, claim.pipeline))
        if reason is not None:
            self._refuse(boot, seq, reason)
            return
        self._rooms.journal.put_claim(boot, seq, claim, platform_id)
        self._rooms.desk.disk_trouble.over(CLAIMS)
        self._taken.add(claim.lease)
        self._give(claim, platform_id)

    def _give(self, claim: Claim, platform_id: str) -> None:
        rooms = self._rooms
        self.quota.take()
        rooms.slot.give(JobRun(claim, platform_id, rooms.desk, rooms.slot.hooks))

    def _refuse(self, boot: str, seq: int, reason: str) -> None:
        self._rooms.journal.skip_claim(boot, seq)
        self._rooms.desk.disk_trouble.over(CLAIMS)
        log.error("refused a job: %s", reason)
        self.quota.note_end(f"refused {seq}", is_done=False)
        self._refused = Refusal(seq=seq, reason=reason[:2000])

    def _failed(self, error: PlatformError) -> float:
        """Do what the table of rules says; seconds to wait before the next turn."""
        action = rule("poll", error)
        if action == "end" or self._is_hopeless(error):
            self.on_fatal(error)
            return IDLE_S
        if action in ("register", "complain"):
            self._registered = None
        if self._rooms.desk.leaving.is_set():
            self._trouble.expect()  # the stop itself cut the held poll
        return self._trouble.failed(error, action)

    def _is_hopeless(self, error: PlatformError) -> bool:
        """Whether somebody waits for an agent that will not get to work."""
        if not self.quota.leaves_when_idle or self._registered is not None:
            return False
        is_for_people = isinstance(error, (NotAuthorizedError, ProtocolMismatchError))
        return is_for_people or self._trouble.failures >= MOST_TRIES


def _raise(error: PlatformError) -> None:
    raise error


def _nothing() -> None:
    """Nobody wants to know."""


def _send_none(agent_id: str, digests: list[str]) -> None:
    """Nobody sends record names."""
