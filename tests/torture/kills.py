"""Random kills of every process over one experiment: the history must be that of a calm run."""

import os
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.deployment import PAUSE, Site, check_history, processes_of, wait_until
from tests.torture.leaks import check_leaks

STEP_S = 0.15
LONGEST_S = 1.5
PATIENCE_S = 120.0
"""Without a kill a loop is done long before; a back-off may last up to a minute."""


@dataclass
class Killer:
    """Kills one process or several at random moments, spread evenly over the loops."""

    site: Site
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)
    _loop: int = 0
    _without_worker: set[int] = field(default_factory=set)

    def run(self, name: str, loops: int, kills: int) -> None:
        """Kill until it was enough, and let the experiment end.

        Args:
            name: Of the experiment.
            loops: It has so many.
            kills: In all.
        """
        scale_s = LONGEST_S
        for number in range(kills):
            self._loop = number * loops // kills
            self._wait_for_loop(name, self._loop)
            # Behind: shorter waits leave less time for progress. Ahead is held back above.
            is_early = self.site.loops_done(name) > self._loop
            scale_s = min(LONGEST_S, max(0.02, scale_s * (0.7 if is_early else 1.2)))
            PAUSE.wait(self.rng.uniform(0, scale_s))
            self._kill()
            self.site.keep_alive()
        self._wait_for_loop(name, loops)

    def _wait_for_loop(self, name: str, loop: int) -> None:
        def is_there() -> bool:
            self.site.keep_alive()
            return self.site.loops_done(name) >= loop

        wait_until(is_there, f"loop {loop} of {name}", PATIENCE_S)

    def _kill(self) -> None:
        agents, hub = self._agents(), self._hub()
        hooks = self._hooks()
        # A choice of samples whose process died three times waits for a person.
        workers = [] if self._loop in self._without_worker else self._hub_workers()
        targets = {
            "agent": agents,
            "hook": hooks,
            "hook and agent": hooks and hooks + agents,
            "hub": hub,
            "worker of the hub": workers,
            "all": hub + hooks + agents,
        }
        target = self.rng.choice([name for name, pids in targets.items() if pids])
        self.done[target] += 1
        if workers and target == "worker of the hub":
            self._without_worker.add(self._loop)
        for pid in targets[target]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.site.reap(targets[target])

    def _agents(self) -> list[int]:
        return [agent.process.pid for agent in self.site.agents if agent.process is not None]

    def _hub(self) -> list[int]:
        return [self.site.hub.pid] if self.site.hub is not None else []

    def _hooks(self) -> list[int]:
        return [pid for pid, line in self._processes() if "hooks/child/start.py" in line]

    def _hub_workers(self) -> list[int]:
        return [
            pid for pid, line in self._processes()
            if "analysis.worker" in line or "results.worker" in line
        ]  # fmt: skip

    def _processes(self) -> list[tuple[int, str]]:
        return sorted(processes_of(self.site.folder).items())


def torture_by_kills(folder: Path, loops: int, kills: int, seed: int) -> Counter[str]:
    """Run an experiment in peace, and the same with kills; compare.

    Args:
        folder: For both; is there.
        loops: Of the experiment.
        kills: In all.
        seed: Of the moments and targets.

    Returns:
        How often what was killed.

    Raises:
        TortureError: Something was lost, counted twice, or left over.
    """
    calm = run_in_peace(Site(folder / "calm"), loops)
    site = Site(folder / "tortured", step_s=STEP_S)
    try:
        killer = Killer(site, random.Random(seed))
        site.create("toy", loops)
        for agent in site.agents:
            site.start_agent(agent)
        killer.run("toy", loops, kills)
        site.settle()
        site.stop()
    finally:
        site.kill()
    check_history(site.history("toy"), calm.history("toy"), f"toy in {folder}")
    check_leaks(site, calm)
    return killer.done


def run_in_peace(site: Site, loops: int, name: str = "toy") -> Site:
    """The same experiments when nobody disturbs them."""
    try:
        site.create(name, loops)
        for agent in site.agents:
            site.start_agent(agent)
        wait_until(lambda: site.loops_done(name) >= loops * len(site.agents), "a calm run", 120)
        site.settle()
        site.stop()
    finally:
        site.kill()
    return site
