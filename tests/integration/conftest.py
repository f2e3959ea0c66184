"""What several of these files need: a browser, an address to listen at, a disk with room."""

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.any_disk import any_disk as any_disk
from tests.support.browser import open_browser
from tests.support.hub_process import listening_socket


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: its event loop would be in the way of coroutine tests."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with listening_socket() as bound:
        yield bound
