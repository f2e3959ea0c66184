"""Which hubs have the analysis process started before it is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from alectio_agent.core.clock import SystemClock
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.server.expecting import expects_selections
from alectio_agent.hub.store.store import Store
from alectio_agent.hub.store.tables import experiments
from alectio_agent.wire.experiment import ExperimentSettings


@pytest.fixture
def looks(tmp_path: Path) -> Any:
    """Makes experiments that are over or not, then looks."""
    store = Store(tmp_path / "hub.db", SystemClock())
    platform = Platform(tmp_path, tmp_path / "results", SystemClock())

    def make(tx: Connection, name: str, *, is_over: bool) -> None:
        said = {"name": name, "classes": 2, "batch": 3, "loops": 2, "pool": 20}
        platform.create(tx, ExperimentSettings.model_validate(said))
        tx.execute(update(experiments).where(experiments.c.name == name).values(is_over=is_over))

    def look(over: list[bool], *, is_box: bool) -> bool:
        for number, is_over in enumerate(over):
            name = f"toy-{number}"
            store.write(lambda tx, n=name, o=is_over: make(tx, n, is_over=o)).result()
        return store.read(lambda tx: expects_selections(tx, is_box=is_box)).result()

    yield look
    store.close()


def test_a_hub_in_the_box_without_experiments_gets_one_in_a_moment(
    looks: Callable[..., bool],
) -> None:
    assert looks([], is_box=True)


def test_a_hub_of_its_own_waits_for_the_first_experiment(looks: Callable[..., bool]) -> None:
    assert not looks([], is_box=False)


@pytest.mark.parametrize("is_box", [True, False])
def test_a_finished_experiment_is_only_looked_at(looks: Callable[..., bool], is_box: bool) -> None:
    assert not looks([True, True], is_box=is_box)


@pytest.mark.parametrize("is_box", [True, False])
def test_one_that_goes_on_among_finished_ones_is_enough(
    looks: Callable[..., bool], is_box: bool
) -> None:
    assert looks([True, False, True], is_box=is_box)
