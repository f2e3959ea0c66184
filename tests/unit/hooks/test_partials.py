"""What an interrupted train left, for the next attempt on this agent."""

from array import array
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.partials import (
    held_partials,
    newest_partial,
    origin_of,
    remove_partials,
    stopped_at_partial,
    take_partial,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Partial checkpoints of two loops, two attempts at one, and what is none."""
    made = tmp_path / "toy"
    (made / "toy-ckpt_3-a10.partial").mkdir(parents=True)
    (made / "toy-ckpt_3-a10.partial" / "weights").touch()
    for name in ("toy-ckpt_2", "toy-ckpt_3.partial", "toy-ckpt_3-a2.partial", "toy-ckpt_4.partial",
                 "toy-ckpt_5.partial.tmp", "toy-ckpt_6.pt.partial", "other-ckpt_3.partial",
                 "toy-ckpt_.partial", "toy-ckpt_3-a.partial"):  # fmt: skip
        (made / name).touch()
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


HELD = ["toy-ckpt_3-a10.partial", "toy-ckpt_3-a2.partial", "toy-ckpt_3.partial",
        "toy-ckpt_4.partial"]  # fmt: skip


def test_files_and_folders_of_exactly_that_name_are_held(folder: Path) -> None:
    assert held_partials(folder) == HELD
    assert held_partials(folder / "missing") == []


@pytest.mark.parametrize(
    ("loop", "newest"),
    [(2, None), (3, "toy-ckpt_3-a10.partial"), (4, "toy-ckpt_4.partial"), (5, None), (6, None)],
)
def test_the_latest_attempt_is_gone_on_from(folder: Path, loop: int, newest: str | None) -> None:
    assert newest_partial(folder, loop) == newest


def test_what_is_trained_goes_with_the_loops_before_it(folder: Path) -> None:
    take_partial(folder, 3, "origin")
    remove_partials(folder, 3)
    assert names(folder) == {
        "toy-ckpt_2", "toy-ckpt_4.partial", "toy-ckpt_5.partial.tmp", "toy-ckpt_6.pt.partial",
        "other-ckpt_3.partial", "toy-ckpt_.partial", "toy-ckpt_3-a.partial",
    }  # fmt: skip
    assert names(folder.parent) == {"toy"}, "nothing is left beside the folder"
    remove_partials(folder, 6)
    assert not any(name.startswith(("toy-ckpt_5", "toy-ckpt_6")) for name in names(folder))
    remove_partials(folder / "missing", 6)


class TestOrigin:
    """Checkpoints have the same names in every experiment of one name."""

    def test_the_same_train_finds_what_it_left(self, folder: Path) -> None:
        for _ in range(3):
            assert take_partial(folder, 4, "origin") == "toy-ckpt_4.partial"

    def test_another_train_of_that_loop_does_not_go_on_from_it(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        take_partial(folder, 4, "origin")
        assert take_partial(folder, 4, "of an experiment begun afresh") is None
        assert "toy-ckpt_4.partial is of another experiment" in caplog.text
        assert take_partial(folder, 4, "of an experiment begun afresh") is None

    def test_what_nothing_is_known_of_is_believed(self, folder: Path) -> None:
        """The note is not synced: a power cut may take it."""
        (folder.parent / ".toy.training").mkdir()
        assert take_partial(folder, 4, "origin") == "toy-ckpt_4.partial"

    def test_another_loop_in_between_makes_it_foreign(self, folder: Path) -> None:
        """Somebody else trained this loop since; it may come back only by a rewind."""
        take_partial(folder, 4, "loop 4")
        take_partial(folder, 9, "loop 9")
        assert take_partial(folder, 4, "loop 4") is None

    def test_experiment_loop_and_samples_each_count(self) -> None:
        found = {
            origin_of("e", 1, [1, 2]), origin_of("f", 1, [1, 2]), origin_of("e", 2, [1, 2]),
            origin_of("e", 1, [1, 3]), origin_of("e", 1, []),
        }  # fmt: skip
        assert len(found) == 5
        assert origin_of("e", 1, array("q", [1, 2])) == origin_of("e", 1, array("q", [1, 2]))


def test_a_train_stopped_at_its_partial_checkpoint_has_no_whole_one(folder: Path) -> None:
    assert stopped_at_partial(folder, "toy-ckpt_4")
    assert not stopped_at_partial(folder, "toy-ckpt_5")
    (folder / "toy-ckpt_4.pt").touch()
    assert not stopped_at_partial(folder, "toy-ckpt_4")
