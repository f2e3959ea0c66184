"""One simulated world: a hub, machines with agents, people, and what goes wrong."""

import logging
import random
import secrets
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.chaos import Chaos
from tests.simulation.ending import check_end
from tests.simulation.faults import Faults
from tests.simulation.history import History
from tests.simulation.hub import SimHub
from tests.simulation.hub_store import made
from tests.simulation.judge import Judge
from tests.simulation.machine import Machine
from tests.simulation.network import Network
from tests.simulation.person import Person
from tests.simulation.pieces import Pieces
from tests.simulation.plan import Plan
from tests.simulation.scheduler import Scheduler

END_WITHIN_S = 2 * 3600.0
"""After faults are over everything comes to its end in this time."""
LEAVE_WITHIN_S = 1200.0
LOOK_S = 10.0


@dataclass(frozen=True)
class Outcome:
    """What came of a seed."""

    seed: int
    violations: list[str]
    history: History
    faults: Counter[str]
    simulated_s: float
    turns: int


class World:
    """Everything; built anew for each seed."""

    def __init__(self, seed: int, folder: Path, pieces: Pieces, *, is_told: bool = False) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.pieces = pieces
        self.plan = Plan.of(self.rng)
        self.faults = Faults(random.Random(self.rng.random()))
        self.scheduler = Scheduler(random.Random(self.rng.random()))
        self.history = History(lambda: self.scheduler.now)
        self.history.is_told = is_told
        self.judge = Judge(self)
        self.network = Network(self)
        self.hub = SimHub(self)
        self.machines = [
            Machine(self, f"m{number}", folder / f"m{number}")
            for number in range(self.plan.machines)
        ]
        self.person = Person(self)
        self.journalled: dict[str, str] = {}

    def run(self) -> None:
        """From the first start to the last goodbye."""
        self.person.begin()
        for machine in self.machines:
            machine.start_in(self.faults.between(0.0, 5.0))
        Chaos(self).begin()
        self.scheduler.run(lambda: bool(self.history.violations), self.plan.fault_s)
        self._calm()
        if not self._goes_on(lambda: self.person.is_over and self._is_all_done(), END_WITHIN_S):
            return
        for machine in self.machines:
            machine.is_wanted = False
            if machine.life is not None and machine.life.agent is not None:
                machine.life.agent.stop()
        is_left = lambda: all(machine.life is None for machine in self.machines)  # noqa: E731
        if self._goes_on(is_left, LEAVE_WITHIN_S):
            check_end(self)

    def note_crash(self, error: BaseException) -> None:
        """Keep where something came from that nobody handled."""
        text = "".join(traceback.format_exception(error))
        self.history.note("traceback", text=f"\n{text}")

    def _calm(self) -> None:
        """Nothing goes wrong from now on."""
        self.faults.is_on = False
        self.history.note("faults are over")
        if not self.hub.is_up:
            self.hub.start()
        for machine in self.machines:
            machine.offline_until = 0.0

    def _is_all_done(self) -> bool:
        return all(
            machine.life is not None
            and machine.life.agent is not None
            and not machine.life.journal.leases()
            for machine in self.machines
        )

    def _goes_on(self, is_over: Callable[[], bool], most_s: float) -> bool:
        """Turn until something is true; it must come true, and nothing may be violated."""

        looked_s = -LOOK_S

        def is_enough() -> bool:
            nonlocal looked_s
            if self.history.violations:
                return True
            if self.scheduler.now - looked_s < LOOK_S:
                return False
            looked_s = self.scheduler.now
            return is_over()

        if not self.scheduler.run(is_enough, most_s):
            states = [(view.name, view.state, view.reason) for view in self.person.experiments()]
            self.history.violate(f"no end within {most_s:g} s: {states}")
        return not self.history.violations


def run_seed(
    seed: int, pieces: Pieces | None = None, *, is_told: bool = False, folder: Path | None = None
) -> Outcome:
    """Run one world from its start to its end.

    Args:
        seed: Everything follows from it.
        pieces: What it is made of.
        is_told: Print each event.
        folder: For files; memory by default.
    """
    shelf = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    place = Path(tempfile.mkdtemp(prefix="sim-", dir=folder or shelf))
    try:
        with _seeded_ids(0):
            made()  # once in a process: no seed may pay for it with its identifiers
        with _seeded_ids(seed), _quiet():
            world = World(seed, place, pieces or Pieces(), is_told=is_told)
            try:
                world.run()
            except Exception as error:  # noqa: BLE001 - shown with the seed
                world.history.violate(f"the simulation crashed: {error!r}")
                world.note_crash(error)
        return Outcome(
            seed, world.history.violations, world.history, world.faults.counts,
            world.scheduler.now, world.scheduler.turns,
        )  # fmt: skip
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _seeded_ids(seed: int) -> Iterator[None]:
    """Identifiers come from the seed too: `core.ids` takes them from this module."""
    rng, real = random.Random(f"ids {seed}"), secrets.token_hex

    def token_hex(count: int | None = None) -> str:
        return rng.randbytes(count or 32).hex()

    secrets.token_hex = token_hex
    try:
        yield
    finally:
        secrets.token_hex = real


@contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
