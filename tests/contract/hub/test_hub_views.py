"""What operators see: every change, and nothing that is not so."""

from collections.abc import Callable

import pytest

from alectio_agent.hub.experiments import views
from tests.support.benches import Bench, BenchAgent, refused


def test_a_loop_shows_what_is_known_of_it(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start(), warnings=["rows sum to 1"])
    bench.settle()
    loop = bench.loop(0)
    assert (loop.loop, loop.state, loop.labels, loop.chosen_by) == (0, "done", 4, "random")
    assert (loop.agent, loop.attempt, loop.problem) == ("gpu01", 1, "")
    assert loop.seconds == {"train": 1.5, "test": 1.5, "infer": 1.5}
    assert loop.warnings == [f"{step}: rows sum to 1" for step in ("train", "test", "infer")]
    assert loop.hyperparams == {"lr": 0.1}
    assert loop.done_at == "2026-01-01T00:00:00.000Z"


def test_a_loop_goes_from_state_to_state(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    seen = [bench.loop(0).state]
    claim = agent.claim()
    seen.append(bench.loop(0).state)
    agent.beat(claim)
    seen.append(bench.loop(0).state)
    agent.commit(claim)
    seen.append(bench.loop(0).state)
    assert seen == ["available", "claimed", "running", "done"]


CHANGES: list[Callable[[Bench, BenchAgent], object]] = [
    lambda bench, agent: agent.claim(),
    lambda bench, agent: agent.beat(agent.poll(seq=1)),
    lambda bench, agent: agent.commit(agent.poll(seq=1), "train"),
    lambda bench, agent: agent.commit(agent.poll(seq=1), "test"),
    lambda bench, agent: bench.worker.step(),
    lambda bench, agent: agent.fail(agent.poll(seq=1), "user_code", step="infer"),
    lambda bench, agent: bench.run(lambda tx: bench.platform.retry(tx, "digits")),
    lambda bench, agent: agent.commit(agent.claim(), "infer"),
    lambda bench, agent: bench.worker.step(),
    lambda bench, agent: bench.run(lambda tx: bench.platform.pause(tx, "digits")),
    lambda bench, agent: bench.run(lambda tx: bench.platform.cancel(tx, "digits")),
]


def test_the_version_grows_with_every_change(bench: Bench) -> None:
    """Whoever waits for a higher version would sleep through a change that kept it."""
    agent = bench.agent()
    last = bench.create().version
    for number, change in enumerate(CHANGES):
        change(bench, agent)
        version = bench.show().version
        assert version > last, f"change {number}"
        last = version


def test_the_version_stays_when_nothing_changes(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    before = bench.show()
    agent.beat(claim)
    agent.poll()
    bench.tick(5)
    assert bench.show() == before


@pytest.mark.parametrize("kept", [views.MOST_KEPT_LABELS, 0])
def test_settled_loops_are_shown_as_they_were(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Those that can change no more are read once, unless they are large."""
    monkeypatch.setattr(views, "MOST_KEPT_LABELS", kept)
    agent = bench.agent()
    bench.create()
    for _ in range(3):
        agent.commit(agent.start())
        bench.settle()
        bench.show()
    seen = bench.show()
    bench.restart_hub()
    assert bench.show() == seen


def test_a_hub_of_many_experiments_keeps_loops_of_the_newest_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its memory stays flat, and nobody sees a difference."""
    monkeypatch.setattr(views, "MOST_KEPT_LOOPS", 2)
    agent, names = bench.agent(), [f"digits-{number}" for number in range(4)]
    for name in names:
        bench.create(name=name, loops=1)
        agent.commit(agent.start())
        bench.settle()
    seen = [bench.show(name) for name in names]
    assert list(map(bench.show, names)) == seen
    kept = bench.platform._views._settled
    assert sum(map(len, kept.values())) <= 2
    assert seen[-1].experiment_id in kept
    bench.restart_hub()
    assert list(map(bench.show, names)) == seen


def test_a_loop_without_its_metrics_is_not_kept_as_it_is(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    assert bench.loop(0).metrics is None
    bench.settle()
    assert bench.loop(0).metrics is not None


def test_jobs_are_listed_until_they_are_done(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    claim = agent.start()
    agent.beat(claim, step="test")
    jobs = bench.run(bench.platform.jobs).jobs
    assert [(job.job, job.state, job.agent, job.step, job.attempt) for job in jobs] == [
        ("digits/0", "running", "gpu01", "test", 1),
        ("digits-control/0", "available", None, None, 0),
    ]
    agent.commit(claim)
    assert [job.job for job in bench.run(bench.platform.jobs).jobs] == ["digits-control/0"]


def test_a_waiting_job_tells_its_problem(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.fail(agent.start(), "user_code", message="boom")
    (job,) = bench.run(bench.platform.jobs).jobs
    assert (job.state, job.problem, job.agent) == ("waiting", "train: boom", None)


def test_jobs_of_a_cancelled_experiment_are_not_listed(bench: Bench) -> None:
    bench.agent()
    bench.create()
    bench.run(lambda tx: bench.platform.cancel(tx, "digits"))
    assert bench.run(bench.platform.jobs).jobs == []


def test_an_unknown_experiment_is_not_found(bench: Bench) -> None:
    with refused("not-found"):
        bench.show("letters")


def test_a_loop_whose_infer_is_void_since_the_pool_grew_is_shown_without_it(bench: Bench) -> None:
    """It ended by its target: no next loop asks for another infer, which would show as well."""
    agent = bench.agent()
    bench.create(stop={"target": {"metric": "accuracy", "value": 0.5}})
    bench.run_loops(agent)
    assert set(bench.loop(0).seconds) == {"train", "test", "infer"}
    agent.restart(pipelines=[{"name": "digits", "pool_size": 30}])
    assert bench.extend(pool=30).state == "finished"
    shown = bench.show()
    assert set(shown.loops[0].seconds) == {"train", "test"}
    bench.restart_hub()
    assert bench.show() == shown
