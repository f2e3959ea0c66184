"""A machine at a site: a disk, a clock, hook processes, and one agent after the other."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alectio_agent.config.pipeline import PipelineSettings
from tests.simulation.hook_process import Processes
from tests.simulation.kept_database import Platter
from tests.simulation.life import Life
from tests.simulation.scheduler import SimClock

if TYPE_CHECKING:
    from tests.simulation.world import World

OUTLIVES = 0.3
"""How often a hook process outlives its agent: the kernel ends it with the thread, mostly."""


class Machine:
    """Where agents live, one at a time."""

    def __init__(self, world: "World", name: str, folder: Path) -> None:
        self.world = world
        self.name = name
        self.clock = SimClock(world.scheduler)
        self.disk = world.pieces.disk(folder, world.faults, self._point)
        self.state_dir = folder / "state"
        self.platter = Platter()
        self.processes = Processes()
        self.life: Life | None = None
        self.lives = 0
        self.is_wanted = True
        """Whether somebody starts the agent again when it has ended."""
        self.pipelines = {
            "digits": PipelineSettings(
                hooks=folder / "processes.py",
                pool_size=world.plan.pool,
                checkpoints={"dir": folder / "checkpoints", "keep": 2},  # type: ignore[arg-type]
            )
        }
        self.offline_until = 0.0

    def note(self, what: str, /, **told: Any) -> None:
        """Something happened here."""
        self.world.history.note(what, at=self.name, **told)

    def start(self) -> None:
        """Start an agent, unless one lives."""
        if self.life is not None or not self.is_wanted:
            return
        self.lives += 1
        self.note("agent starts", life=self.lives)
        self.life = Life(self, self.lives)
        self.life.begin()

    def start_in(self, seconds: float) -> None:
        """Somebody, or systemd, starts it again."""
        self.world.scheduler.after(seconds, self.start)

    def die(self, how: str, place: str) -> None:
        """The agent's process, or the whole machine, is gone from one moment to the next."""
        life, faults = self.life, self.world.faults
        assert life is not None
        self.note("dies", life=life.number, how=how, place=place)
        self.life, life.is_dead = None, True
        life.cut_lines()
        self.world.scheduler.kill(life)
        if how == "power cut":
            self.processes.end_all()
            if self.platter.cut_power(faults.rng):
                faults.counts["commits of the journal lost"] += 1
            self.disk.cut_power()
        else:
            for process in list(self.processes.living):
                if faults.rng.random() >= OUTLIVES:
                    self.processes.end(process)
        self.start_in(faults.rng.choice((0.5, 3.0, 20.0, 100.0, 300.0)))

    def ended(self, life: Life) -> None:
        """The agent came to its own end."""
        if self.life is life:
            self.note("agent ends", life=life.number, error=str(life.error or ""))
            self.life = None
            self.start_in(self.world.faults.rng.choice((1.0, 10.0, 120.0)))

    def _point(self, place: str) -> None:
        assert self.life is not None
        self.life.point(place)
