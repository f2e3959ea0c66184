"""Experiments in one line each: right, also after a change, and cheap for many."""

import pytest

from tests.support.benches import Bench


def summaries(bench: Bench) -> list:  # type: ignore[type-arg]
    return list(bench.run(bench.platform.summaries))


def test_a_new_experiment_tells_what_it_waits_for(bench: Bench) -> None:
    bench.create()
    (told,) = summaries(bench)
    assert (told.name, told.state, told.loop, told.loops) == ("digits", "running", None, 3)
    assert (told.waits_for, told.points, told.agent) == ("an agent", (), None)


def test_loops_labels_and_the_metric_of_each_loop_are_told(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent, most=2)
    (told,) = summaries(bench)
    assert (told.loop, told.labels, told.pool) == (2, 12, 20)
    assert (told.metric, told.points, told.agent) == ("macro_f1", (0.5, 0.5), None)
    assert told.waits_for == ""


def test_a_target_names_the_main_metric(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(stop={"target": {"metric": "macro_recall", "value": 0.9}})
    bench.run_loops(agent, most=1)
    assert summaries(bench)[0].metric == "macro_recall"


def test_one_that_waits_for_labels_is_shown_as_that(bench: Bench) -> None:
    bench.agent()
    bench.create(labels={"kind": "csv"})
    (told,) = summaries(bench)
    assert (told.state, told.shown_state) == ("running", "labelling")
    bench.bring()
    assert summaries(bench)[0].shown_state == "running"


def test_the_newest_experiment_stands_first(bench: Bench) -> None:
    for name in ("first", "second"):
        bench.create(name=name)
    assert [told.name for told in summaries(bench)] == ["second", "first"]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_change_shows_at_once(bench: Bench, verb: str) -> None:
    """What is kept in memory must not outlive a change."""
    bench.create()
    summaries(bench)
    bench.clock.advance(60)
    bench.steer(verb)
    assert summaries(bench)[0].state in ("paused", "cancelled")


def test_the_moment_of_the_newest_event_is_told(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.clock.advance(60)
    agent.fail(claim, "user_code")
    assert summaries(bench)[0].updated_at == "2026-01-01T00:01:00.000Z"


def test_a_job_that_is_available_is_told_with_milliseconds(bench: Bench) -> None:
    """The tables keep microseconds of it."""
    agent = bench.agent()
    bench.create()
    agent.fail(agent.start(), "user_code")
    bench.clock.advance(60.000_25)
    bench.steer("retry")
    assert summaries(bench)[0].updated_at == "2026-01-01T00:01:00.000Z"


def test_an_agent_that_fell_silent_is_waited_for_again(bench: Bench) -> None:
    """Nothing in the tables changes when an agent falls silent."""
    bench.agent()
    bench.create()
    assert summaries(bench)[0].waits_for == ""
    bench.clock.advance(3600)
    assert summaries(bench)[0].waits_for == "an agent that offers pipeline `digits`"


def test_many_experiments_need_no_more_questions_than_one(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(name="first")
    bench.run_loops(agent)
    summaries(bench)
    for number in range(5):
        bench.create(name=f"more-{number}")
    with bench.store.counting() as asked:
        assert len(summaries(bench)) == 6
    assert len([text for text in asked if text.startswith("SELECT")]) <= 8
