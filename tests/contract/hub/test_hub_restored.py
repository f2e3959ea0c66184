"""A hub whose tables are those of a backup: its agents know of jobs that it does not."""

from collections.abc import Callable

import pytest

from alectio_agent.hub.experiments.analysis_process import AnalysisError
from alectio_agent.wire.claims import Claim
from tests.support.benches import DIGEST, Bench, BenchAgent, refused

PART = {"sha256": DIGEST, "bytes": 4, "rows": 16}


@pytest.fixture
def agent(bench: Bench) -> BenchAgent:
    return bench.agent()


@pytest.fixture
def claim(bench: Bench, agent: BenchAgent) -> Claim:
    """Of loop 0, which runs when the backup is made."""
    bench.create()
    started = agent.start()
    bench.store.save()
    return started


def finish(bench: Bench, agent: BenchAgent, claim: Claim) -> None:
    agent.commit(claim)
    bench.settle()


def test_an_agent_that_restarted_since_is_told_to_register(
    bench: Bench, agent: BenchAgent, claim: Claim
) -> None:
    """Not that another one runs with its identity, which would end it for good."""
    finish(bench, agent, claim)
    agent.restart()
    agent.seq = 3
    bench.restore()
    with refused("unknown-agent"):
        agent.poll()
    agent.register()
    assert agent.claim().job == "digits/0"


def test_the_life_before_is_told_so_when_it_registers_again(
    bench: Bench, agent: BenchAgent, claim: Claim
) -> None:
    said = dict(agent.said)
    agent.restart()
    bench.restart_hub()
    twin = BenchAgent(bench, "gpu01")
    twin.agent_id, twin.said = agent.agent_id, said
    with refused("unknown-agent"):
        twin.poll()
    with refused("superseded-boot"):
        twin.register()
    assert agent.claim().job == "digits/0"


def test_a_job_that_was_done_since_is_offered_again_at_once(
    bench: Bench, agent: BenchAgent, claim: Claim
) -> None:
    """Else the agent, which beats for it no more, would be waited for like one that died."""
    finish(bench, agent, claim)
    bench.restore()
    with refused("unknown-agent"):
        agent.poll()
    agent.register(holding=[])
    again = agent.claim()
    assert (again.job, again.attempt) == ("digits/0", 2)


def test_a_job_that_is_still_held_goes_on(bench: Bench, agent: BenchAgent, claim: Claim) -> None:
    """The agent has another slot, and asks for a second job."""
    bench.restore()
    with refused("unknown-agent"):
        agent.poll()
    agent.register(holding=[claim.lease])
    assert agent.poll() is None
    agent.commit(claim)
    assert bench.loop(0).state == "done"


def test_an_agent_that_is_ahead_of_the_tables_is_asked_once(
    bench: Bench, agent: BenchAgent, claim: Claim
) -> None:
    """It got jobs that this platform does not know of: what else it holds must be told."""
    agent.fail(claim, "interrupted")
    bench.store.save()
    for _ in range(2):
        agent.fail(agent.start(), "interrupted")
    bench.restore()
    with refused("unknown-agent"):
        agent.poll()
    agent.register()
    assert agent.poll(seq=7) is not None
    agent.seq = 20
    agent.poll()


def test_an_agent_that_has_nothing_to_tell_polls_on(
    bench: Bench, agent: BenchAgent, claim: Claim
) -> None:
    agent.fail(claim, "interrupted")
    bench.restart_hub()
    assert agent.claim().attempt == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda agent, claim: agent.beat(claim),
        lambda agent, claim: agent.commit(claim, "train"),
        lambda agent, claim: agent.fail(claim, "crash"),
    ],
)
def test_a_lease_of_the_time_since_is_lost(
    bench: Bench, agent: BenchAgent, claim: Claim, call: Callable[[BenchAgent, Claim], None]
) -> None:
    finish(bench, agent, claim)
    newer = agent.start()
    bench.restore()
    with refused("lease-lost"):
        call(agent, newer)
    with refused("lease-lost"):
        bench.put_part(newer)


def test_a_step_whose_forerunner_is_gone_gives_the_job_back(
    bench: Bench, agent: BenchAgent, claim: Claim
) -> None:
    """Train was counted after the backup was made. No person can mend that, and none is asked."""
    agent.commit(claim, "train")
    bench.restore()
    for _ in range(2):
        with refused("lease-lost"):
            agent.commit(claim, "test")
    assert bench.show().state == "running"
    with refused("lease-lost"):
        agent.beat(claim)
    agent.register(holding=[])
    again = agent.claim()
    assert [order.step for order in again.steps] == ["train", "test", "infer"]
    agent.commit(again)
    assert bench.loop(0).state == "done"


def test_an_experiment_comes_to_the_same_end(bench: Bench, agent: BenchAgent, claim: Claim) -> None:
    finish(bench, agent, claim)
    bench.run_loops(agent)
    ended = [(loop.labels, loop.metrics) for loop in bench.show().loops]
    bench.restore()
    agent.register()
    bench.run_loops(agent)
    view = bench.show()
    assert view.state == "finished"
    assert [(loop.labels, loop.metrics) for loop in view.loops] == ended


@pytest.mark.parametrize("left", [None, b"par"])
def test_a_part_is_missing_when_its_file_is_older_than_its_row(
    bench: Bench, agent: BenchAgent, claim: Claim, left: bytes | None
) -> None:
    agent.commit(claim, "train", "test")
    file = bench.put_part(claim)
    file.unlink() if left is None else file.write_bytes(left)
    with refused("parts-missing") as caught:
        agent.commit(claim, "infer", parts=[PART])
    assert caught.value.extra == {"missing": [{"sha256": DIGEST, "have": 0}]}
    bench.put_part(claim)
    agent.commit(claim, "infer", parts=[PART])
    assert bench.loop(0).state == "done"


def test_infer_runs_again_when_its_files_are_older_than_the_tables(
    bench: Bench, agent: BenchAgent, claim: Claim, caplog: pytest.LogCaptureFixture
) -> None:
    agent.commit(claim, "train", "test")
    file = bench.put_part(claim)
    agent.commit(claim, "infer", parts=[PART])
    file.unlink()
    bench.analysis.answers = [AnalysisError(f"{file}: No such file or directory")] * 2
    bench.settle()
    view = bench.show()
    assert (view.state, view.loops[0].state) == ("running", "available")
    assert "digits/0: files of what infer returned are gone; it runs again" in caplog.messages
    again = agent.claim()
    assert [order.step for order in again.steps] == ["infer"]
    agent.commit(again)
    bench.settle()
    assert agent.claim().job == "digits/1"
