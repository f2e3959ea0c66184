"""Agents of tests take jobs however full the disk of this machine is."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def any_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ALECTIO_AGENT_CLAIM__MIN_FREE_DISK", "0")
        yield
