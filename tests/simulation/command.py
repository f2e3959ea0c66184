"""The command line of the simulation."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from multiprocessing import get_context

from tests.simulation.world import Outcome, run_seed

LAST_EVENTS = 60
PROGRESS_EVERY = 250
CHUNK = 5
CHUNKS_PER_PROCESS = 50
"""What caches and threads of past worlds leave behind goes with their process."""


def main(words: list[str]) -> int:
    """Run one seed or many; 1 when any of them broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed", type=int, nargs="?")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every event")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FROM", "TO"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(words)
    if asked.seeds is not None:
        return _run_many(range(*asked.seeds), asked.jobs)
    if asked.seed is None:
        parser.error("expected a seed, or --seeds FROM TO")
    outcome = run_seed(asked.seed, is_told=asked.verbose)
    print(describe(outcome, 0 if asked.verbose else LAST_EVENTS) if outcome.violations else "good")
    print(summary([outcome.faults], 1, outcome.simulated_s))
    return 1 if outcome.violations else 0


def describe(outcome: Outcome, last: int = LAST_EVENTS) -> str:
    """What a person needs to know of a seed that broke a promise."""
    events = outcome.history.events[-last:] if last else []
    return "\n".join(
        [
            *map(str, events),
            f"seed {outcome.seed} broke a promise:",
            *(f"  {violation}" for violation in outcome.violations),
            f"replay: python -m tests.simulation {outcome.seed} -v",
        ]
    )


def summary(counted: Iterable[Counter[str]], seeds: int, simulated_s: float) -> str:
    """What really went wrong in all of them together."""
    total: Counter[str] = sum(counted, Counter())
    lines = [f"{count:>10,}  {name}" for name, count in sorted(total.items())]
    head = f"{seeds:,} seeds, {simulated_s / 3600:,.0f} simulated hours; what went wrong in them:"
    return "\n".join([head, *lines])


def _run_one(seed: int) -> tuple[int, str, Counter[str], float]:
    outcome = run_seed(seed)
    text = describe(outcome) if outcome.violations else ""
    return seed, text, outcome.faults, outcome.simulated_s


def _run_many(seeds: range, jobs: int) -> int:
    began, counts, bad, simulated_s = time.monotonic(), list[Counter[str]](), list[int](), 0.0
    with get_context("spawn").Pool(jobs, maxtasksperchild=CHUNKS_PER_PROCESS) as pool:
        for seed, text, faults, took_s in pool.imap_unordered(_run_one, seeds, chunksize=CHUNK):
            counts.append(faults)
            simulated_s += took_s
            if text:
                bad.append(seed)
                print(text, flush=True)
            if len(counts) % PROGRESS_EVERY == 0:
                seconds = time.monotonic() - began
                print(f"{len(counts):,} of {len(seeds):,} seeds in {seconds:.0f} s, "
                      f"{len(bad)} bad", file=sys.stderr, flush=True)  # fmt: skip
    print(summary(counts, len(seeds), simulated_s))
    print(f"bad seeds: {sorted(bad) or 'none'}")
    return 1 if bad else 0
