"""The simulation is only worth something if it notices when a promise is broken."""

import pytest

from tests.simulation.sabotage import SABOTAGES, Sabotage
from tests.simulation.world import run_seed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.what)
def test_a_broken_promise_turns_the_simulation_red(sabotage: Sabotage) -> None:
    with sabotage.breaking():
        seeds = iter(range(sabotage.within))
        found = next((s for s in seeds if run_seed(s, sabotage.pieces).violations), None)
    assert found is not None, f"{sabotage.what}: not noticed in {sabotage.within} seeds"
