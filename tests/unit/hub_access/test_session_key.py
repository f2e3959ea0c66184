"""The key of sessions: made once, closed to others, replaced when it is none."""

from pathlib import Path

import pytest

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.access.session_key import KEY_BYTES, KEY_FILE, session_key


def test_the_key_is_made_once(tmp_path: Path) -> None:
    assert session_key(tmp_path) == session_key(tmp_path)
    assert len(session_key(tmp_path)) == KEY_BYTES


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    session_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    session_key(tmp_path)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_half_a_key_is_replaced(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"half")
    assert len(session_key(tmp_path)) == KEY_BYTES


def test_a_folder_that_is_not_there_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        session_key(tmp_path / "missing")
