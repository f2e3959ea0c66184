"""One process of an agent, from its start to its end, whatever ends it."""

from typing import TYPE_CHECKING

from alectio_agent.agent.jobs.recovery import end_groups, reconcile
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.service.agent import Agent
from alectio_agent.core.errors import PlatformError
from tests.simulation.scheduler import Killed

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.network import SimTransport


class Life:
    """Owns its actors and its lines."""

    def __init__(self, machine: "Machine", number: int) -> None:
        self.machine = machine
        self.world = machine.world
        self.number = number
        self.paused_until = 0.0
        self.is_dead = False
        self.error: BaseException | None = None
        self.agent: Agent | None = None
        self.journal: Journal
        self.lines: list[SimTransport] = []

    def begin(self) -> None:
        """Start its main thread."""
        self.world.scheduler.spawn("main", self._main, self)

    def spawn(self, name: str, target) -> None:
        """As a thread of this process."""
        if not self.is_dead:
            self.world.scheduler.spawn(name, target, self)

    def point(self, place: str) -> None:
        """A step at which the process may die; it takes a moment, in which others run."""
        if self.is_dead:
            raise Killed
        how = self.world.faults.crash(place)
        if how is not None:
            self.machine.die(how, place)
            raise Killed
        self.world.scheduler.sleep(self.world.faults.rng.random() * 0.01)

    def cut_lines(self) -> None:
        """Its connections end with it."""
        for line in self.lines:
            line.cut()

    def _main(self) -> None:
        try:
            agent = self.agent = self._build()
            agent.start()
            agent.wait_for_stop()
            agent.shut_down()
            self.error = agent.error
        except Exception as error:  # noqa: BLE001 - as the command does, the checker judges it
            self.error = error
        if self.error is not None and not isinstance(self.error, PlatformError | Killed):
            self.world.history.violate(f"{self.machine.name}: the agent crashed: {self.error!r}")
            self.world.note_crash(self.error)
        self.is_dead = True
        self.world.scheduler.after(0.0, self._end)

    def _end(self) -> None:
        self.cut_lines()
        self.world.scheduler.kill(self)
        self.machine.processes.end_all()
        self.machine.ended(self)

    def _build(self) -> Agent:
        """As `cli.agent_state` opens a state folder, and `cli.build_agent` builds an agent."""
        from tests.simulation.agent_site import build, open_outbox, read_identity

        machine = self.machine
        machine.disk.make_folder(machine.state_dir)
        self.journal = self.world.pieces.journal(self)
        end_groups(self.journal, machine.processes.end_group)
        outbox = open_outbox(self)
        reconcile(self.journal, outbox)
        machine.disk.make_folder(machine.state_dir / "logs")
        return build(self, outbox, read_identity(self))
