"""A tenth of `make torture`: real kills and real faults of the network, at random moments."""

from pathlib import Path

import pytest

from tests.torture.kills import torture_by_kills
from tests.torture.network import torture_by_network

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

SEED = 20261126
"""Chance is the same each time; moments are not, since processes are real."""


def test_twenty_kills_over_twenty_loops_leave_the_history_of_a_calm_run(tmp_path: Path) -> None:
    done = torture_by_kills(tmp_path, loops=20, kills=20, seed=SEED)
    assert sum(done.values()) == 20


def test_a_hundred_faults_leave_the_history_of_a_calm_run(tmp_path: Path) -> None:
    done = torture_by_network(tmp_path, loops=8, count=100, seed=SEED)
    assert sum(done.values()) == 100
