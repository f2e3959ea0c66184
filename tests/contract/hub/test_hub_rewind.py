"""Rewinding: the newest loops run again, with the same selections; what they gave is void."""

import pytest
from sqlalchemy import select

from alectio_agent.hub.experiments.results_document import read_document
from alectio_agent.hub.store.tables import jobs, results
from alectio_agent.wire.operation import ExperimentRetry
from tests.support.benches import DIGEST, Bench, BenchAgent, refused

ALL = "train test infer"


def finished(bench: Bench, **changed) -> BenchAgent:
    """An agent that ran `digits` to its end: loops 0, 1 and 2."""
    agent = bench.agent()
    bench.create(**changed)
    bench.run_loops(agent)
    assert bench.show().state == "finished"
    return agent


@pytest.mark.parametrize("loops", [1, 2, 3])
def test_the_newest_loops_run_again_with_the_same_selections(bench: Bench, loops: int) -> None:
    agent = finished(bench)
    before = [loop.selected for loop in bench.show().loops]
    view = bench.rewind(loops)
    assert (view.state, view.reason) == ("running", "")
    assert [loop.loop for loop in view.loops] == list(range(4 - loops))
    assert view.loops[-1].state == "selecting"
    bench.settle()
    again = bench.run_loops(agent)
    assert again == ["digits/0 " + ALL, "digits/1 " + ALL, "digits/2 train test"][-loops:]
    view = bench.show()
    assert view.state == "finished"
    assert [loop.selected for loop in view.loops] == before
    assert [loop.attempt for loop in view.loops] == [1] * (3 - loops) + [2] * loops


def test_checkpoints_of_a_rewound_loop_get_names_of_their_own(bench: Bench) -> None:
    agent = finished(bench)
    for attempt in (2, 3):
        bench.rewind()
        bench.settle()
        claim = agent.start()
        train = claim.steps[0].payload
        assert (train.ckpt_file, train.resume_from) == (
            f"digits-ckpt_2-a{attempt}",
            "digits-ckpt_1",
        )
        agent.commit(claim)
        bench.settle()


def test_a_loop_after_a_rewound_one_resumes_from_its_new_checkpoint(bench: Bench) -> None:
    agent = finished(bench)
    bench.rewind(2)
    bench.settle()
    bench.run_loops(agent, most=1)
    assert agent.claim().steps[0].payload.resume_from == "digits-ckpt_1-a2"


def test_what_a_rewound_loop_gave_is_kept_as_void(bench: Bench) -> None:
    agent = finished(bench)
    bench.rewind()
    bench.settle()
    bench.run_loops(agent)
    tried = bench.run(lambda tx: read_document(tx, "digits"))["loops"][2]["attempts"]
    assert [(one["attempt"], one["counted"]) for one in tried] == [(1, []), (2, ["train", "test"])]
    assert [void["step"] for void in tried[0]["void"]] == ["train", "test"]


def test_while_it_is_rewound_a_loop_is_nowhere(bench: Bench) -> None:
    """Neither among the jobs, nor in the document, nor in the table."""
    finished(bench)
    bench.rewind(2)
    assert bench.run(bench.platform.jobs).jobs == []
    document = bench.run(lambda tx: read_document(tx, "digits"))
    assert [loop["loop"] for loop in document["loops"]] == [0]
    counted = select(jobs.c.loop).join(results, results.c.job_id == jobs.c.job_id)
    found = bench.run(lambda tx: set(tx.execute(counted.where(results.c.is_counted)).scalars()))
    assert found == {0}


def test_a_job_that_runs_is_stopped_with_its_next_beat_and_its_late_commit_is_refused(
    bench: Bench,
) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim, "train")
    agent.beat(claim, step="test")
    bench.rewind()
    with refused("lease-lost") as caught:
        agent.beat(claim, step="test")
    assert "a person took it back" in caught.value.message
    with refused("lease-lost"):
        agent.commit(claim, "test")
    with refused("lease-lost"):
        agent.fail(claim, "user_code")
    agent.commit(claim, "train")  # it came before, and is accepted again without counting
    bench.settle()
    assert bench.loop(0).seconds == {}
    again = agent.start()
    assert (again.job, again.attempt, again.job_id) == ("digits/0", 2, claim.job_id)
    assert [order.step for order in again.steps] == ALL.split()


def test_a_claim_that_was_not_started_yet_is_lost_with_its_first_beat(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.claim()
    bench.rewind()
    bench.settle()
    with refused("lease-lost"):
        agent.beat(claim)
    again = agent.poll(seq=1)
    assert again is not None, "the swallowed answer of a rewound claim is not given again"
    assert again.lease != claim.lease


def test_a_loop_that_is_not_done_counts_as_the_first(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent, most=1)
    agent.start()
    bench.rewind()
    bench.settle()
    assert [(loop.loop, loop.state) for loop in bench.show().loops] == [
        (0, "done"),
        (1, "available"),
    ]


def test_a_selection_that_is_owed_does_not_count(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    assert bench.loop(1).state == "selecting"
    bench.rewind()
    bench.settle()
    assert [loop.state for loop in bench.show().loops] == ["available"]
    assert bench.run_loops(agent)[0] == "digits/0 " + ALL


def test_rewinding_twice_in_a_row_goes_further_back(bench: Bench) -> None:
    agent = finished(bench)
    bench.rewind()
    bench.rewind()
    bench.settle()
    assert bench.run_loops(agent) == ["digits/1 " + ALL, "digits/2 train test"]


def test_a_loop_that_failed_can_be_rewound_instead_of_retried(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent, most=1)
    agent.fail(agent.start(), "user_code")
    view = bench.rewind(2)
    assert (view.state, view.reason) == ("running", "")
    bench.settle()
    assert bench.run_loops(agent)[0] == "digits/0 " + ALL


def test_failures_before_a_rewind_are_forgiven(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(retries=1)
    agent.fail(agent.start(), "crash")
    agent.fail(agent.start(), "crash")
    bench.rewind()
    bench.settle()
    agent.fail(agent.start(), "crash")
    assert bench.show().state == "running"


def test_a_selection_that_could_not_be_made_is_made_from_a_loop_that_ran_again(
    bench: Bench,
) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.analysis.answers = [{"indices": [0, 0], "scores": [], "reasons": []}]
    bench.settle()
    assert bench.show().state == "waiting"
    bench.rewind()
    bench.settle()
    bench.run_loops(agent)
    assert bench.show().state == "finished"


def test_an_experiment_without_a_loop_has_none_to_rewind(bench: Bench) -> None:
    bench.create()
    with refused("conflict") as caught:
        bench.rewind(1)
    assert "found 1 loop to rewind; it has none. Nothing" in caught.value.message


def test_more_loops_than_there_are_cannot_be_rewound(bench: Bench) -> None:
    finished(bench)
    before = bench.show()
    with refused("conflict") as caught:
        bench.rewind(4)
    assert caught.value.code == "E-EXP-07"
    assert "found 4 loops to rewind; it has 3" in caught.value.message
    assert bench.show() == before


def test_an_experiment_without_a_loop_cannot_be_rewound(bench: Bench) -> None:
    bench.create()
    with refused("conflict"):
        bench.rewind()


def test_a_paused_experiment_stays_paused(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent, most=1)
    bench.steer("pause")
    assert bench.rewind().state == "paused"
    bench.settle()
    assert agent.poll() is None
    bench.steer("resume")
    bench.settle()
    assert bench.run_loops(agent) == ["digits/1 " + ALL, "digits/2 train test"]


def test_a_cancelled_experiment_cannot_be_rewound(bench: Bench) -> None:
    bench.agent()
    bench.create()
    bench.steer("cancel")
    with refused("conflict") as caught:
        bench.rewind()
    assert caught.value.code == "E-EXP-02"
    with refused("not-found"):
        bench.rewind(name="nobody")


def test_a_control_is_left_alone_until_loop_0_is_rewound(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    ran = bench.run_loops(agent)
    assert len(ran) == 6
    bench.rewind(2)
    assert bench.show("digits-control").state == "finished"
    bench.rewind(1)
    assert bench.show("digits-control").state == "running"
    assert [loop.state for loop in bench.show("digits-control").loops] == ["selecting"]
    bench.settle()
    assert bench.run_loops(agent) == ran
    assert bench.loop(0, "digits-control").selected == bench.loop(0).selected


def test_a_control_can_be_rewound_by_itself(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    bench.run_loops(agent)
    bench.rewind(3, name="digits-control")
    bench.settle()
    assert len(bench.run_loops(agent)) == 3
    assert bench.show().state == "finished"


def test_a_target_that_was_reached_is_judged_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.analysis.accuracy = 0.9
    bench.create(stop={"target": {"metric": "accuracy", "value": 0.8}})
    bench.run_loops(agent)
    assert bench.show().reason == "stop.target: accuracy is at least 0.8"
    bench.rewind()
    bench.settle()
    bench.analysis.accuracy = 0.5
    assert len(bench.run_loops(agent)) == 3
    assert (bench.show().state, bench.show().reason) == ("finished", "")


def test_a_target_that_the_loop_before_reached_ends_it_again(bench: Bench) -> None:
    """With patience 2 of a target that both newest loops reach, only the last one is undone."""
    agent = bench.agent()
    bench.analysis.accuracy = 0.9
    bench.create(stop={"target": {"metric": "accuracy", "value": 0.8, "patience": 2}})
    bench.run_loops(agent)
    assert len(bench.show().loops) == 2
    bench.rewind()
    bench.settle()
    assert bench.run_loops(agent) == ["digits/1 " + ALL]


def test_metrics_that_come_after_the_rewind_are_not_kept(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    owing = bench.worker._next_metrics
    lease, job_id, _ = bench.run(owing)
    bench.rewind()
    bench.run(lambda tx: bench.worker._keep_metrics(tx, lease, job_id, {"metrics": {}}))
    bench.settle()
    assert bench.loop(0).metrics is None


def test_a_view_that_was_read_before_the_rewind_does_not_come_back(bench: Bench) -> None:
    """A reader sees what is committed while the rewind's own view is made before its commit."""
    finished(bench)
    stale = dict(bench.platform._views._settled)
    bench.rewind()
    bench.platform._views._settled = stale
    assert [loop.loop for loop in bench.show().loops] == [0, 1, 2]
    assert bench.loop(2).state == "selecting"


def test_a_loop_whose_parts_were_removed_infers_again_before_the_next_selection(
    bench: Bench,
) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    path = bench.put_part(claim)
    part = {"sha256": DIGEST, "bytes": 4, "rows": 16}
    agent.commit(claim, "train", "test")
    chosen = {"indices": [7, 8, 9, 10], "scores": [0.1] * 4, "reasons": ["margin"] * 4}
    bench.analysis.answers = [chosen]
    agent.commit(claim, "infer", parts=[part], media_type="application/x-npz")
    bench.settle()
    bench.run_loops(agent, most=1)
    assert path.exists(), "the next selection may have to be made again"
    path.unlink()
    bench.rewind(len(bench.show().loops) - 1)
    bench.settle()
    assert bench.run_loops(agent, most=1) == ["digits/0 infer"]


class TestRetryFromTrain:
    def test_train_runs_again_though_it_was_counted(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        claim = agent.start()
        agent.commit(claim, "train", "test")
        agent.fail(claim, "contract", step="infer")
        view = bench.steer("retry", ExperimentRetry(step="train"))
        assert (view.state, view.loops[0].seconds, view.loops[0].metrics) == ("running", {}, None)
        again = agent.start()
        assert [order.step for order in again.steps] == ALL.split()
        assert again.steps[0].payload.ckpt_file == "digits-ckpt_0-a2"
        agent.commit(again)
        bench.settle()
        tried = bench.run(lambda tx: read_document(tx, "digits"))["loops"][0]["attempts"]
        assert [one["counted"] for one in tried] == [[], ["train", "test", "infer"]]

    def test_an_attempt_that_was_given_up_does_not_come_back(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create(takeover_after=0)
        for _ in range(3):
            claim = agent.start()
            bench.tick(91)
        assert bench.show().state == "waiting"
        bench.steer("retry", ExperimentRetry(step="train"))
        with refused("lease-lost"):
            agent.commit(claim, "train")
        assert agent.start().attempt == 4

    def test_without_a_job_that_waits_it_is_refused(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        agent.commit(agent.start())
        bench.analysis.answers = [{"indices": [0, 0], "scores": [], "reasons": []}]
        bench.settle()
        with refused("conflict") as caught:
            bench.steer("retry", ExperimentRetry(step="train"))
        assert "rewind it" in caught.value.message
        assert bench.show().state == "waiting"


def test_a_control_waits_while_its_rewound_experiment_owes_a_selection(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    bench.run_loops(agent)
    bench.rewind(name="digits-control")
    bench.settle()
    bench.rewind(2)
    assert agent.poll() is None
    bench.settle()
    assert [job.split()[0] for job in bench.run_loops(agent)] == [
        "digits/1",
        "digits/2",
        "digits-control/2",
    ]
