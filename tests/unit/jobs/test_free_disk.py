"""Too little free disk speaks against a job."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from alectio_agent.agent.jobs.claim_check import FreeDisk

GIB = 2**30
Disks = Callable[..., None]


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Disks:
    """Says how much is free on the disk of each folder; others are not there."""

    def arrange(**free_gib: float) -> None:
        def statvfs(path: Path) -> SimpleNamespace:
            name = str(path).strip("/")
            if name not in free_gib:
                raise FileNotFoundError(2, "No such file or directory", str(path))
            return SimpleNamespace(f_bavail=int(free_gib[name] * GIB / 4096), f_frsize=4096)

        monkeypatch.setattr(os, "statvfs", statvfs)

    return arrange


def folders() -> dict[str, Path]:
    return {
        "agent.state_dir": Path("/state"),
        "pipelines.xray.checkpoints.dir": Path("/data/not/made/yet"),
    }


def test_nothing_speaks_against_a_job_while_there_is_room(disks: Disks) -> None:
    disks(state=10, data=11)
    assert FreeDisk(10 * GIB, folders())() == ""


def test_a_full_disk_of_the_state_folder_is_named_with_the_mend(disks: Disks) -> None:
    disks(state=9.75, data=100)
    assert FreeDisk(10 * GIB, folders())() == (
        "/state (agent.state_dir) has 9.8 GiB free, less than the 10.0 GiB of "
        "claim.min_free_disk: free some, or lower that key"
    )


def test_checkpoints_may_lie_on_another_disk_in_a_folder_that_is_not_made_yet(
    disks: Disks,
) -> None:
    disks(state=100, data=1)
    assert FreeDisk(10 * GIB, folders())().startswith(
        "/data/not/made/yet (pipelines.xray.checkpoints.dir) has 1.0 GiB free"
    )


def test_a_limit_of_nothing_asks_no_disk(disks: Disks) -> None:
    disks()
    assert FreeDisk(0, folders())() == ""


def test_a_disk_that_does_not_answer_speaks_against_a_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def statvfs(path: Path) -> None:
        raise OSError(116, "Stale file handle", str(path))

    monkeypatch.setattr(os, "statvfs", statvfs)
    assert FreeDisk(GIB, folders())() == (
        "/state (agent.state_dir): its free disk cannot be told (Stale file handle)"
    )
