"""What hooks import from `alectio_agent`, in and outside of a hook process."""

import pytest

import alectio_agent
from alectio_agent import pipeline
from alectio_agent.agent.hooks.child import helpers
from alectio_agent.agent.hooks.child.helpers import ProgressReports


def test_every_public_name_resolves_and_is_the_childs_own() -> None:
    assert alectio_agent.__all__ == [
        "CheckpointMissing", "Pipeline", "Stopped", "progress", "should_stop", "track",
    ]  # fmt: skip
    for name in alectio_agent.__all__:
        home = pipeline if name == "Pipeline" else helpers
        assert getattr(alectio_agent, name) is getattr(home, name)
        assert name in dir(alectio_agent)


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="no attribute 'proges'"):
        _ = alectio_agent.proges


def test_outside_a_hook_process_helpers_do_nothing() -> None:
    alectio_agent.progress(1, 2, loss="not a number")
    assert list(alectio_agent.track(iter("abc"))) == ["a", "b", "c"]
    assert not alectio_agent.should_stop()
    assert issubclass(alectio_agent.CheckpointMissing, Exception)
    assert issubclass(alectio_agent.Stopped, Exception)


class Told(list):
    """Collects reports."""

    def __call__(self, **said) -> None:
        self.append(said)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, as a list whose only item is the time."""
    now = [100.0]
    monkeypatch.setattr(helpers.time, "monotonic", lambda: now[0])
    return now


def test_at_most_five_reports_a_second_get_through(clock: list[float]) -> None:
    told, reports = Told(), ProgressReports()
    reports.connect(told)
    for tick in range(64):
        clock[0] = 100 + tick / 64
        reports.add(tick, 64, {})
    assert [said["done"] for said in told] == [0, 13, 26, 39, 52]


def test_only_finite_numbers_are_told(clock: list[float]) -> None:
    told, reports = Told(), ProgressReports()
    reports.connect(told)
    reports.add("x", float("inf"), {"loss": 0.5, "nan": float("nan"), "none": None, "n": "3"})
    assert told == [{"done": None, "total": None, "numbers": {"loss": 0.5, "n": 3.0}}]


def test_nobody_is_told_after_the_step(clock: list[float]) -> None:
    told, reports = Told(), ProgressReports()
    reports.connect(told)
    reports.connect(None)
    reports.add(1, 2, {})
    assert told == []


def test_track_tells_how_far_it_is(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    told, reports = Told(), ProgressReports()
    reports.connect(told)
    monkeypatch.setattr(helpers, "REPORTS", reports)
    for _ in alectio_agent.track("abc"):
        clock[0] += 1
    assert [(said["done"], said["total"]) for said in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
