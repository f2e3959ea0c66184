"""When an experiment is over: after its loops, at a stop, or with an empty pool."""

from alectio_agent.hub.experiments.progress import advance
from alectio_agent.hub.experiments.records import change_job
from tests.support.benches import Bench


def run_all(bench: Bench, agent) -> int:
    """Run until there is no job; returns how many loops."""
    loops = 0
    while (claim := agent.poll()) is not None:
        agent.beat(claim)
        agent.commit(claim)
        bench.settle()
        loops += 1
    return loops


def test_it_is_finished_after_its_last_loop(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=2)
    assert run_all(bench, agent) == 2
    view = bench.show()
    assert (view.state, view.reason) == ("finished", "")
    assert bench.run(bench.platform.jobs).jobs == []


def test_it_is_finished_only_with_the_metrics_of_the_last_loop(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    agent.commit(agent.start())
    assert bench.show().state == "running"
    bench.restart_hub()
    bench.settle()
    assert bench.show().state == "finished"


def test_the_last_batch_is_cut_to_what_the_pool_has(bench: Bench) -> None:
    agent = bench.agent(pipelines=[{"name": "digits", "pool_size": 10}])
    bench.create(batch=4, loops=3)
    assert run_all(bench, agent) == 3
    assert [loop.labels for loop in bench.show().loops] == [4, 8, 10]


def test_max_labels_ends_it_and_cuts_the_last_batch(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=5, stop={"max_labels": 6})
    first = agent.start()
    agent.commit(first)
    bench.settle()
    last = agent.start()
    assert [order.step for order in last.steps] == ["train", "test"], "no loop comes after it"
    agent.commit(last)
    bench.settle()
    view = bench.show()
    assert [loop.labels for loop in view.loops] == [4, 6]
    assert (view.state, view.reason) == ("finished", "stop.max_labels: 6 samples are labelled")


def test_max_labels_may_be_the_whole_pool(bench: Bench) -> None:
    agent = bench.agent(pipelines=[{"name": "digits", "pool_size": 8}])
    bench.create(loops=5, stop={"max_labels": 8})
    assert run_all(bench, agent) == 2
    assert bench.show().state == "finished"


def test_an_empty_pool_ends_it(bench: Bench) -> None:
    """An experiment that would come to this is refused, so that the rows have to say so."""
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.run(lambda tx: change_job(tx, claim.job_id, labelled=20))
    agent.commit(claim)
    bench.settle()
    view = bench.show()
    assert (view.state, view.reason) == (
        "finished", "the pool is empty: all 20 samples are labelled",
    )  # fmt: skip


def test_a_target_ends_it_once_it_is_reached(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=5, stop={"target": {"metric": "macro_f1", "value": 0.9}})
    agent.commit(agent.start())
    bench.settle()
    bench.analysis.accuracy = 0.9
    assert run_all(bench, agent) == 1
    assert (bench.show().state, bench.show().reason) == (
        "finished", "stop.target: macro_f1 is at least 0.9",
    )  # fmt: skip


def test_a_target_has_to_last_for_its_patience(bench: Bench) -> None:
    agent = bench.agent()
    target = {"metric": "accuracy", "value": 0.9, "patience": 2}
    bench.create(loops=5, stop={"target": target})
    for accuracy in (0.95, 0.5, 0.9):
        bench.analysis.accuracy = accuracy
        agent.commit(agent.start())
        bench.settle()
    assert bench.show().state == "running"
    agent.commit(agent.start())
    bench.settle()
    view = bench.show()
    assert len(view.loops) == 4
    assert view.reason == "stop.target: accuracy is at least 0.9 for 2 loops"


def test_with_a_target_the_next_loop_waits_for_the_metrics(bench: Bench) -> None:
    """Else it would depend on which was quicker, and not repeat."""
    agent = bench.agent()
    bench.create(loops=5, stop={"target": {"metric": "accuracy", "value": 0.4}})
    agent.commit(agent.start())
    bench.worker.step()
    assert bench.analysis.requests[-1]["op"] == "metrics"
    bench.settle()
    assert bench.show().state == "finished"


def test_a_target_that_cannot_be_judged_is_not_reached(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=2, stop={"target": {"metric": "accuracy", "value": 0.4}})
    agent.commit(agent.start())
    bench.analysis.answers = [{"metrics": {}, "per_class": {}, "confusion": []}]
    bench.settle()
    assert len(bench.show().loops) == 2


def test_an_experiment_is_done_for_itself_and_its_control_for_itself(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1, control="replay")
    agent.commit(agent.start())
    bench.settle()
    assert (bench.show().state, bench.show().control) == ("finished", "digits-control")
    assert bench.show("digits-control").state == "running"
    run_all(bench, agent)
    assert bench.show("digits-control").state == "finished"


def test_asking_what_comes_next_too_early_or_twice_changes_nothing(bench: Bench) -> None:
    first = bench.create()
    bench.run(lambda tx: advance(tx, bench.platform.context, first.experiment_id))
    assert bench.show() == first
    bench.agent()
    before = bench.show()
    for _ in range(2):
        bench.run(lambda tx: advance(tx, bench.platform.context, first.experiment_id))
    assert bench.show() == before


def test_a_control_that_can_never_begin_is_cancelled_with_its_experiment(bench: Bench) -> None:
    bench.agent()
    bench.create(control="replay")
    bench.rewind(1)
    bench.steer("cancel")
    bench.settle()
    control = bench.show("digits-control")
    assert control.state == "cancelled"
    assert control.reason.startswith("`digits` was cancelled before it had a first batch")


def test_a_control_is_cancelled_with_an_experiment_that_never_started(bench: Bench) -> None:
    bench.create(control="replay")
    bench.steer("cancel")
    assert bench.show("digits-control").state == "cancelled"


def test_a_control_that_has_its_first_batch_goes_on_alone(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    bench.steer("cancel")
    assert len(bench.run_loops(agent)) == 3
    assert bench.show("digits-control").state == "finished"
