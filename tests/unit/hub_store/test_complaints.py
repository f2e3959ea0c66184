"""A trouble that every call meets is said once in a while."""

import logging

import pytest

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.store.complaints import SILENT_S, Complaints
from tests.support.clocks import FakeClock


def test_the_same_trouble_is_said_again_after_ten_minutes(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    complaints = Complaints(logging.getLogger("hub"), clock)
    for part in ("a", "b", "c"):
        complaints.note("PUT", StoreError(f"/hub/parts/{part}: No space left on device"))
        clock.advance(1)
    assert len(caplog.messages) == 1
    clock.advance(SILENT_S)
    complaints.note("PUT", StoreError("/hub/parts/d: No space left on device"))
    assert len(caplog.messages) == 2


def test_another_trouble_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(logging.getLogger("hub"), FakeClock())
    complaints.note("PUT", StoreError("/hub/parts/a: No space left on device"))
    complaints.note("PUT", StoreError("/hub/parts/a: Input/output error"))
    assert [message.split(": ")[2].split(".")[0] for message in caplog.messages] == [
        "No space left on device",
        "Input/output error",
    ]
