"""A listening socket's queue is as long as the machine allows."""

from pathlib import Path

import pytest

from alectio_agent.core.listening import MOST_WAITING, backlog


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
