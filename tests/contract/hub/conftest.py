"""Every test of the hub's rooms gets a platform of its own, on an engine that they share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.benches import Bench, BenchStore


@pytest.fixture(scope="session")
def bench_store() -> Iterator[BenchStore]:
    store = BenchStore()
    yield store
    store.close()


@pytest.fixture
def bench(tmp_path: Path, bench_store: BenchStore) -> Bench:
    return Bench(tmp_path, bench_store)
