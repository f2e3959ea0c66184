"""Five hundred simulated worlds, in blocks that a test run spreads over its workers."""

import pytest

from tests.simulation.command import describe
from tests.simulation.world import run_seed

SEEDS = 500
BLOCK = 25


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_no_promise_is_broken_whatever_goes_wrong(first: int) -> None:
    for seed in range(first, first + BLOCK):
        outcome = run_seed(seed)
        assert not outcome.violations, f"\n{describe(outcome)}"
