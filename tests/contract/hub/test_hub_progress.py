"""How far the running jobs are, and what agents have in hand."""

from typing import Any

from tests.support.benches import Bench


def jobs(bench: Bench) -> list[Any]:
    return list(bench.run(bench.platform.jobs).jobs)


def agents(bench: Bench) -> list[Any]:
    return list(bench.run(bench.platform.agents).agents)


def progress(done: float, total: float = 20) -> dict[str, Any]:
    return {"progress": {"done": done, "total": total, "numbers": {"loss": 0.5}}}


def test_a_running_job_tells_how_far_it_is(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.beat(claim, **progress(5))
    (job,) = jobs(bench)
    assert (job.step, job.progress.done, job.progress.total) == ("train", 5, 20)
    assert job.progress.numbers == {"loss": 0.5}
    assert job.started_at == "2026-01-01T00:00:00.000Z"


def test_the_time_left_is_told_from_the_pace_so_far(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.beat(claim, **progress(2))
    assert jobs(bench)[0].left_s is None
    bench.clock.advance(30)
    agent.beat(claim, **progress(5))
    bench.clock.advance(10)
    # 3 of 20 took 30 s: the other 15 take 150 s, of which 10 s have passed.
    assert jobs(bench)[0].left_s == 140


def test_the_next_step_begins_anew(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.beat(claim, **progress(2))
    bench.clock.advance(30)
    agent.beat(claim, **progress(19))
    bench.clock.advance(1)
    agent.beat(claim, step="test", **progress(1))
    assert jobs(bench)[0].left_s is None


def test_a_job_that_nobody_runs_tells_nothing_of_its_last_attempt(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.beat(claim, **progress(5))
    agent.fail(claim, "user_code")
    (job,) = jobs(bench)
    assert (job.state, job.progress, job.started_at, job.agent) == ("waiting", None, None, None)


def test_only_beats_with_news_count(bench: Bench) -> None:
    """Whoever watches is told of every change: the same beat again is none."""
    agent, leases = bench.agent(), bench.platform.context.leases
    bench.create()
    claim = agent.start()
    agent.beat(claim, **progress(5))
    before = leases.beats
    agent.beat(claim, **progress(5))
    assert leases.beats == before
    agent.beat(claim, **progress(6))
    assert leases.beats == before + 1


def test_an_agent_shows_what_it_offers_holds_and_runs(bench: Bench) -> None:
    agent = bench.agent(tags=["gpu", "ct"], slots=2)
    bench.create()
    bench.run_loops(agent, most=1)
    claim = agent.start()
    (view,) = agents(bench)
    assert (view.pool_sizes, view.tags, view.slots) == ({"digits": 20}, ["ct", "gpu"], 2)
    assert [job.job for job in view.jobs] == [claim.job]
    assert (view.checkpoints, view.newest_checkpoint) == (1, "digits-ckpt_0")


def test_the_newest_checkpoint_is_the_one_begun_last(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    for _ in range(3):
        bench.run_loops(agent, most=1)
        bench.clock.advance(60)
    (view,) = agents(bench)
    assert (view.checkpoints, view.newest_checkpoint) == (3, "digits-ckpt_2")


def test_a_checkpoint_of_another_hub_counts_too(bench: Bench) -> None:
    bench.agent(checkpoints=[{"experiment": "old", "name": "old-ckpt_4"}])
    (view,) = agents(bench)
    assert (view.checkpoints, view.newest_checkpoint) == (1, None)


def test_an_agent_that_is_idle_has_no_job(bench: Bench) -> None:
    bench.agent()
    (view,) = agents(bench)
    assert (view.jobs, view.checkpoints) == ([], 0)
