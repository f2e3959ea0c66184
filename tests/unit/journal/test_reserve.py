"""Room that is set aside."""

from pathlib import Path

import pytest

from alectio_agent.agent.journal import reserve as module
from alectio_agent.agent.journal.reserve import SIZE_BYTES, Reserve


def test_it_takes_real_room_and_gives_it_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    reserve.keep()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= SIZE_BYTES
    assert reserve.give()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_not_given(tmp_path: Path) -> None:
    assert not Reserve(tmp_path).give()


def test_it_does_not_take_the_last_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for that."""
    monkeypatch.setattr(module, "try_room", lambda *_: OSError(28, "No space left on device"))
    Reserve(tmp_path).keep()
    assert list(tmp_path.iterdir()) == []


def test_half_a_reserve_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(opened: int, *_: int) -> None:
        if Path(f"/proc/self/fd/{opened}").readlink().name == "reserve":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", refuse)
    Reserve(tmp_path).keep()
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_may_be_made_there_is_none(tmp_path: Path) -> None:
    Reserve(tmp_path / "missing").keep()
    assert list(tmp_path.iterdir()) == []
