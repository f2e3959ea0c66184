"""The open jobs of a hub, as a table."""

import pytest

from alectio_agent.cli.hub_jobs import _print
from alectio_agent.wire.operation import JobView


def shown(capsys: pytest.CaptureFixture[str], **said: object) -> str:
    told = {"job": "xray/3", "job_id": "j1", "state": "running", "attempt": 1, **said}
    _print([JobView.model_validate(told)])
    return capsys.readouterr().out


def test_progress_stands_in_a_column_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, step="train", progress={"done": 13, "total": 20}, left_s=372)
    assert "13/20 (65 %), 6 min 12 s left" in told
    assert told.split()[:6] == ["job", "attempt", "state", "step", "progress", "agent"]


def test_a_count_without_a_total_is_shown_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert "260" in shown(capsys, progress={"done": 260})


@pytest.mark.parametrize("progress", [None, {"numbers": {"loss": 1}}])
def test_a_hook_that_says_nothing_has_no_progress(
    capsys: pytest.CaptureFixture[str], progress: object
) -> None:
    assert "%" not in shown(capsys, progress=progress)


def test_a_total_of_nothing_gives_no_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert "%" not in shown(capsys, progress={"done": 0, "total": 0})
