"""Random faults between agents and their hub: the history must be that of a calm run."""

import json
import random
import re
from collections import Counter
from pathlib import Path

from tests.support.faulty_proxy import Faults, FaultyProxy
from tests.torture.deployment import Site, check_history, wait_until
from tests.torture.kills import run_in_peace
from tests.torture.leaks import check_leaks

POOLS = (60, 60, 4000)
"""The results of the last one travel in parts."""
PATIENCE_S = 1800.0


def torture_by_network(folder: Path, loops: int, count: int, seed: int) -> Counter[str]:
    """Run experiments in peace, and the same through a proxy that disturbs; compare.

    Args:
        folder: For both; is there.
        loops: Of each experiment; experiments follow one another until there were enough faults.
        count: Faults in all.
        seed: Of the faults.

    Returns:
        How many of each kind.

    Raises:
        TortureError: Something was lost, counted twice, or left over.
    """
    calm = run_in_peace(Site(folder / "calm", pools=POOLS), loops)
    faults = Faults(random.Random(seed), count)
    proxy = FaultyProxy(faults)
    site = Site(folder / "tortured", pools=POOLS, via=proxy.aim)
    rounds = 0
    try:
        for agent in site.agents:
            site.start_agent(agent)
        while faults.left > 0:
            rounds += 1
            _run_round(site, f"toy{rounds}", loops)
        site.settle()
        site.stop()
    finally:
        site.kill()
        proxy.close()
    for name in (f"toy{number}" for number in range(1, rounds + 1)):
        found, expected = (_unnamed(each) for each in (site.history(name), calm.history("toy")))
        check_history(found, expected, f"{name} in {folder}")
    check_leaks(site, calm, did_the_same=rounds == 1)
    return faults.done


def _run_round(site: Site, name: str, loops: int) -> None:
    site.create(name, loops)

    def is_over() -> bool:
        site.keep_alive()
        return site.loops_done(name) >= loops * len(site.agents)

    wait_until(is_over, f"the end of {name}", PATIENCE_S)


def _unnamed(history: object) -> object:
    """A history with the experiment's name made alike."""
    return json.loads(re.sub(r"toy\d*-(\d)", r"toy-\1", json.dumps(history)))
