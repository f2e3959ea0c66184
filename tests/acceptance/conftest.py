"""What all of these files need."""

import pytest

from tests.support.any_disk import any_disk as any_disk


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest begin first: at the end, other workers would wait for them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
