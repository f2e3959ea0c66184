"""What befalls whole machines and the hub, beside the faults of each step and each message."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World


class Chaos:
    """Pauses, offline hours, stops, restarts of the hub, clocks that are set."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def begin(self) -> None:
        """From now on until faults are over."""
        self._world.scheduler.spawn("chaos", self._live)

    def _live(self) -> None:
        world = self._world
        pace_s = world.faults.rng.choice((40.0, 150.0, 600.0))
        befall: tuple[Callable[[Machine], None], ...] = (
            self._pause, self._offline, self._stop, self._cancel, self._set_clock, self._kill,
            self._restart_hub,
        )  # fmt: skip
        while True:
            world.scheduler.sleep(world.faults.between(0.0, 2 * pace_s))
            if not world.faults.is_on:
                return
            machine = world.faults.rng.choice(world.machines)
            world.faults.rng.choice(befall)(machine)

    def _note(self, what: str, machine: "Machine") -> None:
        self._world.faults.counts[what] += 1
        machine.note(what)

    def _pause(self, machine: "Machine") -> None:
        if machine.life is not None:
            self._note("agent paused", machine)
            seconds = self._world.faults.rng.choice((5.0, 60.0, 200.0, 600.0))
            machine.life.paused_until = self._world.scheduler.now + seconds

    def _offline(self, machine: "Machine") -> None:
        self._note("machine offline", machine)
        seconds = self._world.faults.rng.choice((5.0, 60.0, 200.0, 600.0))
        machine.offline_until = self._world.scheduler.now + seconds

    def _stop(self, machine: "Machine") -> None:
        agent = machine.life.agent if machine.life else None
        if agent is not None:
            self._note("agent stopped", machine)
            agent.stop()

    def _cancel(self, machine: "Machine") -> None:
        agent = machine.life.agent if machine.life else None
        if agent is not None:
            self._note("agent cancelled", machine)
            agent.cancel()

    def _set_clock(self, machine: "Machine") -> None:
        self._note("clock set", machine)
        days = self._world.faults.rng.choice((-30, -1, 1, 30))
        machine.clock.wrong_by = timedelta(days=days)

    def _kill(self, machine: "Machine") -> None:
        if machine.life is not None:
            how = self._world.faults.rng.choice(("kill", "power cut"))
            self._note(how, machine)
            machine.die(how, "anywhere")

    def _restart_hub(self, _: "Machine") -> None:
        world = self._world
        if world.hub.is_up:
            world.faults.counts["hub restarted"] += 1
            world.hub.stop()
            down_s = world.faults.rng.choice((0.1, 5.0, 100.0))
            world.scheduler.after(down_s, world.hub.start_again)
