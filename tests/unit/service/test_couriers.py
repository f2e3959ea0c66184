"""What sends beside the jobs never keeps an agent from stopping, nor ends it."""

import logging
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from alectio_agent.agent.service.agent import LAST_WORDS_S, Agent
from alectio_agent.agent.service.agent_parts import Courier
from alectio_agent.agent.service.stop_plan import StopRules
from tests.support.clocks import FakeClock


class FakeLoop:
    """A step object that is over when `is_idle` or `is_failing` says so."""

    def __init__(self) -> None:
        self.wake = Event()
        self.is_idle = self.is_failing = False
        self.asked: list[str] = []
        self.do: Any = lambda: None

    def hurry(self) -> None:
        self.asked.append("hurry")

    def close(self) -> None:
        self.asked.append("close")

    def step(self) -> float:
        self.asked.append("step")
        self.do()
        return 3600.0


class Bench:
    """An agent of which only the couriers run."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.loop = FakeLoop()
        self.cut = Event()
        self.sender = SimpleNamespace(is_failing=False, wake=Event())
        idle = SimpleNamespace(wake=Event())
        parts = SimpleNamespace(
            poll_loop=idle,
            slots=SimpleNamespace(all=()),
            sender=self.sender,
            heartbeats=idle,
            leaving=Event(),
            stop_rules=StopRules(),
            is_going_down=lambda: False,
            clock=self.clock,
            uploads=SimpleNamespace(courier=SimpleNamespace()),
            keeper=None,
            accountant=None,
            couriers=(Courier("logs", self.loop, SimpleNamespace(interrupt=self.cut.set)),),  # type: ignore[arg-type]
        )
        self.agent = Agent(parts)  # type: ignore[arg-type]
        (self.driver,) = self.agent._couriers

    def close(self) -> None:
        self.agent._close_couriers()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_one_that_hangs_is_cut_off_after_some_seconds(bench: Bench) -> None:
    begun = Event()

    def hang() -> None:
        begun.set()
        bench.cut.wait()
        bench.loop.is_failing = True

    bench.loop.do = hang
    bench.driver.start()
    begun.wait()
    bench.close()
    assert bench.cut.is_set()
    assert bench.clock.waits[0] == LAST_WORDS_S
    assert bench.driver.over.wait(20)


def test_one_that_has_sent_all_is_not_waited_for(bench: Bench) -> None:
    bench.loop.is_idle = True
    bench.agent._closing.set()
    bench.driver.start()
    bench.driver.over.wait(20)
    bench.close()
    assert bench.loop.asked == ["hurry"]
    assert not bench.cut.is_set()


def test_when_no_result_arrives_nothing_else_is_tried(bench: Bench) -> None:
    bench.sender.is_failing = True
    bench.agent._closing.set()
    bench.driver.start()
    assert bench.driver.over.wait(20)
    assert bench.loop.asked == []


def test_one_that_breaks_down_does_not_end_the_agent(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def crash() -> None:
        raise RuntimeError("a mistake of ours")

    bench.loop.do = crash
    bench.driver.start()
    assert bench.driver.over.wait(20)
    assert bench.agent.error is None
    assert not bench.agent.stopping.is_set()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    bench.close()
    assert not bench.cut.is_set()


def test_metrics_that_break_down_do_not_end_the_agent(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does their last word, which is theirs to say when all else is over."""

    def crash() -> None:
        raise RuntimeError("a mistake of ours")

    bench.loop.do = crash
    driver = bench.agent._accountant_driver(bench.loop)  # type: ignore[arg-type]
    driver.start()
    assert driver.over.wait(20)
    assert bench.agent.error is None
    assert "no more metrics are written: RuntimeError" in caplog.text


def test_metrics_are_closed_when_all_else_is_over(bench: Bench) -> None:
    driver = bench.agent._accountant_driver(bench.loop)  # type: ignore[arg-type]
    bench.agent._drained.set()
    driver.start()
    assert driver.over.wait(20)
    assert bench.loop.asked == ["close"]
