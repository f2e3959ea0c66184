"""An experiment that runs, and for which no agent is there, says what it waits for."""

from tests.support.benches import Bench

HERE = "an agent that offers pipeline `digits`"


def waits_for(bench: Bench) -> str:
    listed = bench.run(bench.platform.list).experiments[0]
    assert listed.waits_for == bench.show().waits_for
    return listed.waits_for


def test_before_any_agent_called(bench: Bench) -> None:
    bench.create()
    assert waits_for(bench) == "an agent"


def test_a_pipeline_that_nobody_offers(bench: Bench) -> None:
    bench.agent(pipelines=[{"name": "letters", "pool_size": 20}])
    bench.create(pipeline="digits")
    assert waits_for(bench) == HERE


def test_tags_that_nobody_has(bench: Bench) -> None:
    bench.agent(tags=["nvme"])
    bench.create(tags=["a100", "big"])
    assert waits_for(bench) == HERE + " and has the tags a100, big"


def test_an_agent_that_is_there(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    assert waits_for(bench) == ""
    claim = agent.start()
    bench.clock.advance(3600)
    assert waits_for(bench) == "", "an agent has its job"
    agent.commit(claim)


def test_an_agent_that_went_away(bench: Bench) -> None:
    bench.agent()
    bench.create()
    bench.clock.advance(91)
    assert waits_for(bench) == HERE


def test_an_agent_that_does_not_say_how_many_samples_there_are(bench: Bench) -> None:
    bench.agent(pipelines=[{"name": "digits"}])
    bench.create()
    assert waits_for(bench) == ""
    bench.create(name="other", pipeline="digits")
    assert bench.show("other").waits_for.startswith("an agent that tells how many samples")


def test_what_does_not_run_waits_for_no_agent(bench: Bench) -> None:
    bench.create()
    for verb in ("pause", "cancel"):
        bench.steer(verb)
        assert waits_for(bench) == ""


def test_whether_an_agent_is_there_is_known_without_reading_all_of_them(bench: Bench) -> None:
    """Each experiment that is made is shown: with 5,000 agents that took most of the time."""
    for at in range(3):
        bench.agent(f"gpu{at}")
    bench.create()
    bench.settle()
    with bench.store.counting() as statements:
        assert bench.show().waits_for == ""
    read = [text for text in statements if "FROM agents" in text]
    assert all("JOIN jobs" in text for text in read), read
