"""What is said about disks when a hook raised."""

import errno
import os
from pathlib import Path

import pytest

from alectio_agent.agent.hooks import full_disks
from alectio_agent.agent.hooks.child.failures import tell_failure
from alectio_agent.agent.hooks.child.ownership import OwnFiles
from alectio_agent.agent.hooks.full_disks import advise_on_disks
from alectio_agent.config.pipeline import PipelineSettings


@pytest.fixture
def pipeline(tmp_path: Path) -> PipelineSettings:
    file = tmp_path / "processes.py"
    file.write_text("")
    checkpoints = {"dir": tmp_path / "checkpoints"}
    return PipelineSettings(hooks=file, cwd=tmp_path, checkpoints=checkpoints)


def tell(error: BaseException) -> dict:
    return tell_failure(error, OwnFiles([]), loading=False)


def refusal(number: int, file: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), file)


def test_the_file_that_found_no_room_names_its_disk(pipeline: PipelineSettings) -> None:
    advice = advise_on_disks(tell(refusal(errno.ENOSPC, "/srv/x.pt")), pipeline, "toy")
    assert advice.startswith("The disk of /srv/x.pt is full (")
    assert "pipelines.toy.checkpoints.dir" in advice


def test_a_full_disk_behind_another_error_is_found(pipeline: PipelineSettings) -> None:
    try:
        try:
            raise refusal(errno.EDQUOT)
        except OSError as error:
            raise RuntimeError("file write failed") from error
    except RuntimeError as error:
        told = tell(error)
    assert told["cause"] == "disk"
    assert "A disk was full" in advise_on_disks(told, pipeline, "toy")


def test_a_library_that_does_not_say_so_is_seen_through(
    pipeline: PipelineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch.save: `PytorchStreamWriter failed writing file`, and no OSError at all."""
    told = tell(RuntimeError("PytorchStreamWriter failed writing file"))
    assert advise_on_disks(told, pipeline, "toy") == ""
    monkeypatch.setattr(full_disks, "_is_full", lambda place: place == pipeline.checkpoints.dir)
    assert str(pipeline.checkpoints.dir) in advise_on_disks(told, pipeline, "toy")


def test_a_disk_that_fails_is_told_apart(pipeline: PipelineSettings) -> None:
    advice = advise_on_disks(tell(refusal(errno.EIO, "/srv/x.pt")), pipeline, "toy")
    assert "The disk of /srv/x.pt fails" in advice


def test_other_errors_of_files_are_the_hooks_own(pipeline: PipelineSettings) -> None:
    told = tell(refusal(errno.ENOENT, "/srv/x.pt"))
    assert "cause" not in told
    assert advise_on_disks(told, pipeline, "toy") == ""
