"""Events that no call tells by itself: an outage of an hour, a token that ends soon."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.service.watches import ExpiryWatch, OutageWatch
from alectio_agent.core.errors import ConfigError, PlatformUnavailableError
from alectio_agent.wire.agents import Registered
from tests.support.clocks import FakeClock
from tests.support.platforms import FakePlatform

GONE = PlatformUnavailableError("Connection refused")
DAY_S = 86400.0


class Told:
    """Implements `jobs.events.Tell`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **facts: Any) -> None:
        self.events.append((event, facts))


class TestOutage:
    @pytest.fixture
    def scene(self) -> tuple[FakeClock, Reach, OutageWatch, Told]:
        clock, told = FakeClock(), Told()
        reach = Reach(clock)
        return clock, reach, OutageWatch(reach, clock, told), told

    def pass_time(self, scene: Any, minutes: int) -> None:
        clock, reach, watch, _ = scene
        for _ in range(minutes):
            reach.failed(GONE)
            watch.look()
            clock.advance(60)
        reach.failed(GONE)
        watch.look()

    def test_it_is_told_after_an_hour_and_once(self, scene: Any) -> None:
        scene[0].advance(600)
        self.pass_time(scene, 59)
        assert scene[3].events == []
        self.pass_time(scene, 600)
        assert scene[3].events == [
            ("unreachable_1h", {"since": "2026-01-01T00:10:00.000Z", "message": GONE.message})
        ]

    def test_the_next_outage_is_told_again(self, scene: Any) -> None:
        self.pass_time(scene, 90)
        scene[1].answered()
        scene[2].look()
        self.pass_time(scene, 90)
        assert len(scene[3].events) == 2

    def test_a_short_answer_between_begins_the_hour_anew(self, scene: Any) -> None:
        self.pass_time(scene, 50)
        scene[1].answered()
        self.pass_time(scene, 50)
        assert scene[3].events == []

    def test_an_agent_that_does_not_call_notices_no_outage(self, scene: Any) -> None:
        """Such as one that was paused just after a call that failed."""
        clock, reach, watch, told = scene
        reach.failed(GONE)
        clock.advance(2 * DAY_S)
        watch.look()
        assert told.events == []

    def test_calls_that_the_agent_itself_has_cut_are_no_outage(self, scene: Any) -> None:
        reach = scene[1]
        reach.failed(PlatformUnavailableError("cut", silence="interrupted"))
        assert reach.outage is None


class TestExpiry:
    def setup_method(self) -> None:
        self.clock, self.told, self.token = FakeClock(), Told(), "first"
        self.renewed: list[str] = []
        self.watch = ExpiryWatch(self.read, self.clock, self.told)
        self.watch.renew = lambda: self.renewed.append(self.token)

    def read(self) -> str:
        if not self.token:
            raise ConfigError("no token file")
        return self.token

    def register(self, days: float | None) -> Registered:
        ends = None if days is None else self.clock.now() + timedelta(days=days)
        registered = FakePlatform().register(None)  # type: ignore[arg-type]
        registered = registered.model_copy(update={"token_expires_at": ends})
        self.watch.note(registered)
        return registered

    def test_the_end_is_told_two_weeks_ahead_and_once(self) -> None:
        self.register(20)
        self.watch.look()
        self.clock.advance(5 * DAY_S)
        self.watch.look()
        assert self.told.events == []
        for _ in range(5):
            self.clock.advance(DAY_S + 60)
            self.watch.look()
        assert self.told.events == [
            ("token_expires_14d", {"expires_at": "2026-01-21T00:00:00.000Z", "days_left": 13})
        ]

    def test_another_registration_with_the_same_token_tells_nothing_new(self) -> None:
        self.register(10)
        self.watch.look()
        self.register(10)
        self.watch.look()
        assert len(self.told.events) == 1

    @pytest.mark.parametrize("days", [None, 90])
    def test_a_token_without_a_near_end_is_no_event(self, days: float | None) -> None:
        self.register(days)
        self.watch.look()
        assert self.told.events == []

    def test_before_the_first_registration_nothing_is_known(self) -> None:
        self.watch.look()
        assert self.told.events == []

    def test_a_token_that_was_replaced_is_asked_about_before_anybody_is_told(self) -> None:
        self.register(15)
        self.token = "second"
        self.clock.advance(2 * DAY_S)
        self.watch.look()
        self.watch.look()
        assert (self.told.events, self.renewed) == ([], ["second"])
        self.register(90)
        self.watch.look()
        assert self.told.events == []

    def test_a_token_file_that_is_gone_for_a_moment_changes_nothing(self) -> None:
        self.register(10)
        self.token = ""
        self.watch.look()
        assert len(self.told.events) == 1

    def test_the_log_says_it_once_a_day_until_the_token_is_replaced(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where no command is notified: somebody reads the log at some time."""
        monkeypatch.setattr(logging.getLogger("alectio_agent"), "propagate", True)
        self.register(14.5)
        for _ in range(3 * 24 * 60):
            self.watch.look()
            self.clock.advance(60)
        said = [record.getMessage() for record in caplog.records]
        assert [line.split(". ")[0] for line in said] == [
            "E-AUTH-05  the token ends in 14 days (2026-01-15T12:00:00.000Z)",
            "E-AUTH-05  the token ends in 13 days (2026-01-15T12:00:00.000Z)",
            "E-AUTH-05  the token ends in 12 days (2026-01-15T12:00:00.000Z)",
        ]
        assert "alectio-agent enroll URL" in said[0]
        assert "first" not in "".join(said)
        self.token = "second"
        for _ in range(5):
            self.watch.look()
            self.clock.advance(DAY_S)
        assert len(caplog.records) == 3

    def test_a_token_that_has_ended_is_said_to_have(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging.getLogger("alectio_agent"), "propagate", True)
        self.register(1)
        self.clock.advance(2 * DAY_S)
        self.watch.look()
        assert "the token has ended" in caplog.text
        assert self.watch.warning == "the token has ended (2026-01-02T00:00:00.000Z)"

    def test_whoever_looks_sees_it_for_the_last_two_weeks(self) -> None:
        self.register(15)
        assert self.watch.warning == ""
        self.clock.advance(1.5 * DAY_S)
        assert self.watch.warning == "the token ends in 13 days (2026-01-16T00:00:00.000Z)"
