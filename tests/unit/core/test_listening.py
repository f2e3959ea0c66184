"""A listening socket's queue is as long as the machine allows."""

import resource
from pathlib import Path

import pytest

from alectio_agent.core.listening import MOST_WAITING, allow_open_files, backlog


@pytest.mark.parametrize(
    ("kernel", "expected"), [("4096\n", 4096), ("128", 128), ("65535\n", MOST_WAITING)]
)
def test_the_queue_is_the_shorter_of_ours_and_the_kernels(
    tmp_path: Path, kernel: str, expected: int
) -> None:
    (tmp_path / "somaxconn").write_text(kernel)
    assert backlog(tmp_path / "somaxconn") == expected


def test_a_kernel_that_does_not_say_gets_its_usual_length(tmp_path: Path) -> None:
    assert backlog(tmp_path / "missing") == 4096


def test_as_many_files_as_allowed_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual limit of 1,024 would be 1,000 agents."""
    said = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 524_288))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: said.append(limits))
    assert allow_open_files() == 65_536
    assert said == [(65_536, 524_288)]


def test_a_limit_that_is_high_enough_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20_000, 20_000))
    monkeypatch.setattr(resource, "setrlimit", pytest.fail)
    assert allow_open_files() == 20_000
