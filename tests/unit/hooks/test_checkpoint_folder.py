"""The folder of an experiment's checkpoints."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.checkpoints import (
    check_trained,
    checkpoint_bytes,
    held_checkpoints,
    prepare_train,
    prune_checkpoints,
    remove_checkpoint,
)
from alectio_agent.core.errors import CheckpointError, HookResultError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three loops of experiment `toy`, one of them twice, and files that are no checkpoints."""
    made = tmp_path / "toy"
    (made / "log").mkdir(parents=True)
    (made / "toy-ckpt_0.pt").touch()
    (made / "toy-ckpt_1").mkdir()
    (made / "toy-ckpt_1" / "weights").touch()
    (made / "toy-ckpt_2-a2").touch()
    (made / "toy-ckpt_2-a2_optimizer.pt").touch()
    (made / "toy-ckpt_10").touch()
    for name in ("notes.txt", "other-ckpt_3", "toy-ckpt_x", "toy-ckpt_"):
        (made / name).touch()
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


FOREIGN = {"log", "notes.txt", "other-ckpt_3", "toy-ckpt_x", "toy-ckpt_"}


def test_held_names_are_those_of_the_platform(folder: Path) -> None:
    held = ["toy-ckpt_0", "toy-ckpt_1", "toy-ckpt_10", "toy-ckpt_2-a2"]
    assert held_checkpoints(folder) == held


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert held_checkpoints(tmp_path / "missing") == []
    assert prune_checkpoints(tmp_path / "missing", 2, set()) == []


def test_the_newest_loops_stay_by_number_not_by_name(folder: Path) -> None:
    assert prune_checkpoints(folder, 2, set()) == ["toy-ckpt_0", "toy-ckpt_1"]
    kept = {"toy-ckpt_10", "toy-ckpt_2-a2", "toy-ckpt_2-a2_optimizer.pt"}
    assert names(folder) == kept | FOREIGN


def test_protected_names_stay_whatever_their_loop(folder: Path) -> None:
    removed = prune_checkpoints(folder, 1, {"toy-ckpt_0"})
    assert removed == ["toy-ckpt_1", "toy-ckpt_2-a2"]
    assert names(folder) == {"toy-ckpt_0.pt", "toy-ckpt_10"} | FOREIGN


def test_removing_one_name_leaves_those_that_begin_alike(folder: Path) -> None:
    remove_checkpoint(folder, "toy-ckpt_1")
    remove_checkpoint(folder, "toy-ckpt_2")
    assert {"toy-ckpt_10", "toy-ckpt_2-a2"} <= names(folder)
    assert "toy-ckpt_1" not in names(folder)


def test_a_link_is_removed_and_not_what_it_points_to(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "weights").touch()
    (folder / "toy-ckpt_5").symlink_to(tmp_path / "big")
    remove_checkpoint(folder, "toy-ckpt_5")
    assert (tmp_path / "big" / "weights").exists()
    assert "toy-ckpt_5" not in names(folder)


class TestTraining:
    def test_what_an_earlier_try_left_is_removed(self, folder: Path) -> None:
        prepare_train(folder, "toy-ckpt_0", "toy-ckpt_1")
        assert "toy-ckpt_1" not in names(folder)
        assert "toy-ckpt_10" in names(folder)

    def test_a_resume_from_that_is_gone_is_a_failure(self, folder: Path) -> None:
        with pytest.raises(CheckpointError, match="toy-ckpt_7 is gone; found toy-ckpt_0, "):
            prepare_train(folder, "toy-ckpt_7", "toy-ckpt_8")

    def test_hooks_that_keep_their_files_elsewhere_may_resume(self, tmp_path: Path) -> None:
        empty = tmp_path / "toy"
        empty.mkdir()
        (empty / "toy-ckpt_8").touch()  # of an earlier try of the same loop: no proof
        prepare_train(empty, "toy-ckpt_7", "toy-ckpt_8")

    def test_training_from_nothing_needs_nothing(self, folder: Path) -> None:
        prepare_train(folder, None, "toy-ckpt_11")

    @pytest.mark.parametrize("name", ["toy-ckpt_3", "toy-ckpt_3.pt", "toy-ckpt_3_best.ckpt"])
    @pytest.mark.parametrize("is_folder", [False, True])
    def test_a_file_or_folder_with_or_without_suffix_is_a_checkpoint(
        self, folder: Path, name: str, is_folder: bool
    ) -> None:
        before = prepare_train(folder, None, "toy-ckpt_3")
        (folder / name).mkdir() if is_folder else (folder / name).touch()
        assert check_trained(folder, before, "toy-ckpt_3", "toy/3") is None

    def test_another_name_breaks_the_contract(self, folder: Path) -> None:
        before = prepare_train(folder, None, "toy-ckpt_3")
        (folder / "best.pt").touch()
        (folder / "toy-ckpt_30").touch()
        with pytest.raises(HookResultError, match="expected the checkpoint toy-ckpt_3") as failed:
            check_trained(folder, before, "toy-ckpt_3", "toy/3")
        assert failed.value.hint == "found best.pt, toy-ckpt_30"

    def test_a_file_that_was_written_anew_counts_as_written(self, folder: Path) -> None:
        before = prepare_train(folder, None, "toy-ckpt_3")
        (folder / "toy-ckpt_1" / "weights").write_text("new")
        with pytest.raises(HookResultError):
            check_trained(folder, before, "toy-ckpt_3", "toy/3")

    def test_nothing_but_logs_is_a_warning(self, folder: Path) -> None:
        before = prepare_train(folder, None, "toy-ckpt_3")
        (folder / "log" / "events").write_text("x")
        warning = check_trained(folder, before, "toy-ckpt_3", "toy/3")
        assert warning is not None
        assert "wrote nothing into" in warning


class TestPartialCheckpoints:
    """What was saved in the middle of `train` is none, and stays where it is."""

    @pytest.fixture
    def folder(self, folder: Path) -> Path:
        for name in ("toy-ckpt_3.partial.tmp", "toy-ckpt_3.pt.partial", "toy-ckpt_3-a2.partial"):
            (folder / name).touch()
        (folder / "toy-ckpt_3.partial").mkdir()
        (folder / "toy-ckpt_3.partial" / "weights").touch()
        return folder

    LEFT = frozenset(
        {"toy-ckpt_3.partial", "toy-ckpt_3.partial.tmp", "toy-ckpt_3.pt.partial",
         "toy-ckpt_3-a2.partial"}
    )  # fmt: skip

    def test_it_is_not_held(self, folder: Path) -> None:
        held = ["toy-ckpt_0", "toy-ckpt_1", "toy-ckpt_10", "toy-ckpt_2-a2"]
        assert held_checkpoints(folder) == held

    def test_its_loop_does_not_count_among_the_newest(self, folder: Path) -> None:
        assert prune_checkpoints(folder, 2, set()) == ["toy-ckpt_0", "toy-ckpt_1"]
        assert names(folder) >= self.LEFT

    def test_nothing_can_be_resumed_from_it(self, folder: Path) -> None:
        with pytest.raises(CheckpointError, match="toy-ckpt_3 is gone"):
            prepare_train(folder, "toy-ckpt_3", "toy-ckpt_4")

    @pytest.mark.parametrize("ckpt_file", ["toy-ckpt_3", "toy-ckpt_3-a2"])
    def test_the_next_attempt_finds_it(self, folder: Path, ckpt_file: str) -> None:
        prepare_train(folder, None, ckpt_file)
        assert names(folder) >= self.LEFT

    def test_it_has_no_size_of_a_checkpoint(self, folder: Path) -> None:
        assert checkpoint_bytes(folder, "toy-ckpt_3") is None

    def test_a_train_that_wrote_nothing_else_has_not_written_its_checkpoint(
        self, folder: Path
    ) -> None:
        before = prepare_train(folder, None, "toy-ckpt_4")
        (folder / "toy-ckpt_4.partial").touch()
        with pytest.raises(HookResultError) as failed:
            check_trained(folder, before, "toy-ckpt_4", "toy/4")
        assert failed.value.hint == "found toy-ckpt_4.partial"

    def test_words_that_only_look_like_it_are_checkpoints(self, folder: Path) -> None:
        (folder / "toy-ckpt_4.partially").touch()
        (folder / "toy-ckpt_5_partial.pt").touch()
        assert {"toy-ckpt_4", "toy-ckpt_5"} <= set(held_checkpoints(folder))
