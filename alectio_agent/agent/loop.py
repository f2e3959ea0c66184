"""The poll loop: registers, takes up what the journal holds, then asks for work."""

import logging
import random
import re
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
from alectio_agent.agent.jobs.events import tell_failed
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.agent.jobs.intake import Intake
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.recall import Recall
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slots import Slots
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
    SupersededBootError,
)
from alectio_agent.core.log import job_logger
from alectio_agent.wire.agents import Registered, Registration
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

_FIGURES = re.compile(r"[\d.,]+")
"""Of a reason, such as the free disk: while only they change, it is no news."""


@dataclass(frozen=True)
class Rooms:
    """The parts of the agent that the poll loop feeds."""

    desk: Desk
    slots: Slots
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
            wake: Cuts the wait before the next turn; set when a slot is free again.
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
        self.on_registered: Callable[[Registered], None] = _ignore
        self._trouble = PollTrouble(rng)
        self._intake = Intake(rooms.desk, rooms.slots)
        self._hold = Hold(POLL_WAIT_S)
        self._registered: Registered | None = None
        self._is_doubted = False
        self._refused: Refusal | None = None
        self._is_idle = False
        self.reasons: list[Callable[[], str]] = []
        self.held_back = ""
        self.wake = wake
        self.recall = Recall()
        rooms.slots.tell(self._note_free)

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

    def register_again(self) -> None:
        """Ask anew what only a registration tells; from any thread."""
        self._registered = None
        self.wake.set()

    def step(self) -> float:
        """Do one turn.

        Returns:
            Seconds to wait before the next.
        """
        try:
            return self._turn()
        except PlatformError as error:
            return self._failed(error)
        except StoreUnavailableError as error:
            # A claim that is not in the journal is not run: its number was not counted, and the
            # platform is asked for the same again.
            self._rooms.desk.disk_trouble.met(CLAIMS, error)
            return LOOK_AGAIN_S

    def confirm(self) -> None:
        """Ask who answers before a lost lease is believed; may be called from any thread.

        Raises:
            PlatformUnavailableError: Another platform than the one that this agent works for: it
                knows none of its leases, and says nothing about them.
            PlatformError: Nobody answers.
        """
        before = self._registered
        if before is not None:
            found = self._client.register(self._registration())
            if found.platform_id == before.platform_id:
                return
            self._is_doubted = True
            self.wake.set()
        raise PlatformUnavailableError("another platform answers than before", silence="foreign")

    def _turn(self) -> float:
        if self._registered is None or self._is_doubted:
            self._is_doubted = False  # first: another thread may doubt anew meanwhile
            try:
                self._register()
            except (PlatformError, StoreUnavailableError):
                self._is_doubted = True
                raise
        self._intake.give(self.quota)
        if self.quota.is_spent:
            if self._rooms.slots.are_idle:
                self.on_done()
            return IDLE_S
        free = self._rooms.slots.runnable(self._announcement.offers)
        if not free:
            return IDLE_S
        if self._is_held_back():
            return LOOK_AGAIN_S
        return self._poll(self._registered, free) if self._registered else 0.0

    def _is_held_back(self) -> bool:
        """Whether something speaks against a job now; said when it changes."""
        reason = next(filter(None, (ask() for ask in self.reasons)), "")
        if _FIGURES.sub("", reason) != _FIGURES.sub("", self.held_back) and reason:
            log.warning("no job is asked for: %s", reason)
        elif self.held_back and not reason:
            log.info("jobs are asked for again")
        self.held_back = reason
        return bool(reason)

    def _registration(self) -> Registration:
        # First the number: what is claimed in between would be missing from the list. All leases,
        # since it is not known yet which platform answers: one that came in the place of another
        # does not know them, and one that comes back must not count them as lost.
        seq = self._rooms.journal.last_seq(self._identity.boot.id)
        holding = self._rooms.journal.leases()
        return self._announcement.registration(self._identity, holding, seq)

    def _note_free(self) -> None:
        slots = self._rooms.slots
        is_last = self.quota.leaves_when_idle and slots.are_idle
        self.recall.widen(slots.runnable(self._announcement.offers), is_last=is_last)
        self.wake.set()

    def _register(self) -> None:
        registered = self._client.register(self._registration())
        self._trouble.reached()
        log.info("registered as %s", self._announcement.name)
        self._hold.ask(registered.poll_wait_s)
        self._rooms.heartbeats.set_lease(registered.lease_s)
        self._intake.enter(registered.platform_id)
        self._rooms.heartbeats.set_platform(registered.platform_id)
        self._rooms.sender.set_platform(registered.platform_id)
        self.on_names_wanted(registered.agent_id, registered.names_wanted)
        self.on_registered(registered)
        self._intake.take_up(registered.platform_id, self._announcement.offers)
        self._registered = registered

    def _poll(self, registered: Registered, free: list[str]) -> float:
        boot = self._identity.boot.id
        # A poll that began before the last result had arrived may be empty because of that.
        had_sent_all = self._rooms.sender.is_idle and self._rooms.slots.are_idle
        seq = self._rooms.journal.last_seq(boot) + 1
        request = ClaimRequest(
            agent_id=registered.agent_id,
            boot=boot,
            seq=seq,
            wait_s=self._wait_s(),
            free=free,
            refused=self._refused,
        )
        try:
            answer, passed_s = self._ask(request)
        except InvalidClaimError as error:
            self._trouble.succeeded()  # it answers
            self._refuse(boot, seq, f"the claim breaks the protocol: {error.message}")
            return self._hold.pause_s(self._rng, 0.0, None)  # the next may be no better
        self._refused = None
        polls = self._rooms.desk.counters.polls
        polls.add("job" if isinstance(answer, Claim) else "empty")
        self._note_idle(is_idle=answer is None and self._rooms.slots.are_idle)
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

    def _wait_s(self) -> float:
        """How long to ask to be held; briefly when an empty answer would not count."""
        longest_s = self._hold.wait_s
        if self.quota.leaves_when_idle and not self._rooms.sender.is_idle:
            return min(longest_s, UNSENT_HOLD_S)
        return longest_s

    def _ask(self, request: ClaimRequest) -> tuple[Claim | float | None, float]:
        """Poll, and learn from it how long the line bears; the answer and the seconds it took."""
        clock = self._rooms.desk.clock
        started_s = clock.monotonic()
        self.recall.begin(request.free)
        try:
            answer = self._client.claim(request)
        except PlatformUnavailableError as error:
            is_cut = error.silence == "interrupted"
            if not is_cut and self._hold.failed(error, clock.monotonic() - started_s):
                self._trouble.expect()
            raise
        finally:
            self.recall.end()
        passed_s = clock.monotonic() - started_s
        self._hold.answered(passed_s)
        self._trouble.succeeded()  # a turn that asks nothing says nothing about the platform
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
            self._refuse(boot, seq, reason, claim.job)
            return
        self._rooms.journal.put_claim(boot, seq, claim, platform_id)
        self._rooms.desk.disk_trouble.over(CLAIMS)
        self._intake.take(claim, platform_id)
        self._intake.give(self.quota)

    def _refuse(self, boot: str, seq: int, reason: str, job: str = "") -> None:
        self._rooms.journal.skip_claim(boot, seq)
        self._rooms.desk.disk_trouble.over(CLAIMS)
        self._rooms.desk.counters.jobs.add("refused")
        told = job_logger(log, job) if job else log
        told.error("refused a job: %s", reason)
        tell_failed(self._rooms.desk.tell, job, None, "refused", reason)
        self.quota.note_end(f"refused {seq}", is_done=False)
        self._refused = Refusal(seq=seq, reason=reason[:2000])

    def _failed(self, error: PlatformError) -> float:
        """Do what the table of rules says; seconds to wait before the next turn."""
        if self._was_cut_here(error):
            return 0.0
        if not _is_cut(error):
            self._rooms.desk.counters.polls.add("failed")
            self._rooms.desk.counters.retries.add("polls")
        action = rule("poll", error)
        is_outlived = isinstance(error, SupersededBootError) and self._registered is None
        if action == "end" or is_outlived or self._is_hopeless(error):
            self.on_fatal(error)
            return IDLE_S
        if action in ("register", "complain"):
            self._registered = None
        if self._rooms.desk.leaving.is_set():
            self._trouble.expect()  # the stop itself cut the held poll
        return self._trouble.failed(error, action)

    def _was_cut_here(self, error: PlatformError) -> bool:
        """Whether somebody on this machine cut the poll, so that the loop looks around."""
        return _is_cut(error) and not self._rooms.desk.leaving.is_set()

    def _is_hopeless(self, error: PlatformError) -> bool:
        """Whether somebody waits for an agent that will not get to work."""
        if not self.quota.leaves_when_idle or self._registered is not None:
            return False
        is_for_people = isinstance(error, (NotAuthorizedError, ProtocolMismatchError))
        return is_for_people or self._trouble.failures >= MOST_TRIES


def _is_cut(error: PlatformError) -> bool:
    return isinstance(error, PlatformUnavailableError) and error.silence == "interrupted"


def _raise(error: PlatformError) -> None:
    raise error


def _nothing() -> None:
    """Nobody wants to know."""


def _ignore(registered: Registered) -> None:
    """Nobody wants to know what a registration was answered with."""


def _send_none(agent_id: str, digests: list[str]) -> None:
    """Nobody sends record names."""
