"""Settings that change while an experiment lives: from its next selection on."""

import pytest

from alectio_agent.wire.operation import ExperimentUpdate
from tests.support.benches import Bench, make_settings, refused

ALL = "train test infer"


def test_the_next_selection_uses_the_new_settings(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.update(batch=2)
    assert len(bench.loop(0).selected) == 4, "it was made already"
    bench.run_loops(agent)
    assert [len(loop.selected) for loop in bench.show().loops] == [4, 2, 2]


def test_a_selection_that_is_owed_uses_the_new_settings(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.update(batch=3, strategy="entropy")
    bench.settle()
    assert len(bench.loop(1).selected) == 3
    assert bench.loop(1).chosen_by == "entropy"


def test_a_selection_that_is_being_made_is_made_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    ask = bench.analysis.ask

    def change_meanwhile(request):
        bench.analysis.ask = ask
        bench.update(batch=2)
        return ask(request)

    bench.analysis.ask = change_meanwhile  # type: ignore[method-assign]
    bench.settle()
    assert len(bench.loop(1).selected) == 2


def test_the_same_settings_change_nothing(bench: Bench) -> None:
    bench.agent()
    bench.create()
    before = bench.show()
    commits = bench.store.commits
    assert bench.update().version == before.version
    assert bench.store.commits == commits


def test_the_same_settings_create_nothing_new_afterwards(bench: Bench) -> None:
    bench.agent()
    bench.create()
    bench.update(batch=2)
    assert bench.run(lambda tx: bench.platform.create(tx, make_settings(batch=2))).name == "digits"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 5}, "seed from 0 to 5"),
        ({"classes": 3}, "classes from 2 to 3"),
        ({"pipeline": "other"}, 'pipeline from null to "other"'),
        ({"pool": 19}, "pool from null to 19"),
        ({"initial": {"size": 3}}, "initial from"),
        ({"control": "replay"}, 'control from "none" to "replay"'),
        ({"output": "probabilities"}, 'output from null to "probabilities"'),
        ({"seed": 5, "classes": 3, "batch": 2}, "classes from 2 to 3, seed from 0 to 5."),
    ],
)
def test_what_samples_and_scores_mean_cannot_change(bench: Bench, changed, told: str) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent, most=1)
    before = bench.show()
    with refused("conflict") as caught:
        bench.update(**changed)
    assert caught.value.code == "E-EXP-06"
    assert told in caught.value.message
    assert "Nothing was changed" in caught.value.message
    assert bench.show() == before


def test_a_wrong_guess_can_be_put_right_while_no_loop_is_done(bench: Bench) -> None:
    """`classes` was wrong, and `infer` said so: nobody should need another name for that."""
    agent = bench.agent()
    bench.create(control="replay")
    claim = agent.start()
    agent.commit(claim, "train", "test")
    agent.fail(claim, "contract", "infer", message="E-HOOK-06  digits/0 infer: rows of 3 scores")
    assert bench.show().state == "waiting"
    bench.update(classes=3, seed=7, batch=5, control="replay")
    bench.settle()
    view = bench.show()
    assert (view.state, view.reason) == ("running", "")
    assert [loop.labels for loop in view.loops] == [5]
    assert bench.show("digits-control").settings.classes == 3
    again = agent.start()
    assert (again.classes, again.attempt, again.seed) == (3, 2, 7)
    assert [order.step for order in again.steps] == ["train", "test", "infer"]
    assert again.steps[0].payload.resume_from is None


def test_a_job_that_runs_is_taken_back_when_an_experiment_begins_anew(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.update(classes=3)
    with refused("lease-lost"):
        agent.commit(claim, "train")
    bench.settle()
    assert agent.start().classes == 3


def test_another_pool_is_pinned_when_an_experiment_begins_anew(bench: Bench) -> None:
    bench.agent()
    bench.create(pool=12)
    bench.update(pool=15)
    assert bench.show().pool == 15
    with refused("invalid") as caught:
        bench.update(pool=2000)
    assert caught.value.code == "E-EXP-04"
    assert bench.show().pool == 15


def test_name_and_control_cannot_change_even_then(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict") as caught:
        bench.update(control="replay", classes=3)
    assert caught.value.code == "E-EXP-06"
    assert bench.show().settings.classes == 2


def test_settings_of_another_name_are_refused(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict") as caught:
        bench.steer("update", ExperimentUpdate(settings=make_settings(name="letters")))
    assert 'name from "digits" to "letters"' in caught.value.message


def test_the_pool_that_it_has_is_no_change(bench: Bench) -> None:
    """Somebody writes down what the pipeline said."""
    bench.agent()
    bench.create()
    assert bench.update(pool=20, batch=2).settings.batch == 2


def test_a_finished_experiment_goes_on_with_more_loops(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent)
    trained = bench.loop(2)
    view = bench.update(loops=5)
    assert (view.state, view.loops[2].state) == ("running", "available")
    assert view.loops[2].metrics == trained.metrics, "what was counted still counts"
    assert bench.run_loops(agent) == ["digits/2 infer", "digits/3 " + ALL, "digits/4 train test"]
    assert bench.show().state == "finished"


def test_the_missing_infer_goes_to_the_agent_that_holds_the_checkpoint(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    bench.run_loops(agent)
    bench.update(loops=4)
    assert other.poll() is None
    assert agent.claim().steps[0].payload.ckpt_file == "digits-ckpt_2"


def test_without_the_checkpoint_the_last_loop_runs_anew(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent)
    held = [{"experiment": "digits", "name": "digits-ckpt_1"}]
    agent.restart(checkpoints=held)
    bench.update(loops=4)
    claim = agent.start()
    assert [order.step for order in claim.steps] == ALL.split()
    assert claim.steps[0].payload.ckpt_file == "digits-ckpt_2-a2"
    assert claim.steps[0].payload.resume_from == "digits-ckpt_1"
    agent.commit(claim)
    bench.settle()
    assert bench.loop(2).state == "done"
    assert bench.run_loops(agent) == ["digits/3 train test"]


def test_more_loops_while_the_last_one_runs_ask_for_its_infer_afterwards(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    claim = agent.start()
    bench.update(loops=2)
    agent.commit(claim)
    bench.settle()
    assert bench.show().state == "running"
    assert bench.run_loops(agent) == ["digits/0 infer", "digits/1 train test"]


def test_more_loops_before_the_last_one_is_claimed_cost_no_second_claim(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    bench.update(loops=2)
    assert bench.run_loops(agent) == ["digits/0 " + ALL, "digits/1 train test"]


def test_an_older_attempt_that_did_not_infer_does_not_end_its_loop(bench: Bench) -> None:
    """It fell silent, loops were added, and then it commits what it was asked for."""
    agent = bench.agent()
    bench.create(loops=1, takeover_after=0)
    old = agent.start()
    bench.tick(91)
    bench.update(loops=2, takeover_after=0)
    agent.commit(old)
    bench.settle()
    assert bench.run_loops(agent) == ["digits/0 infer", "digits/1 train test"]


def test_fewer_loops_than_have_run_end_it_with_those_it_has(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=4)
    bench.run_loops(agent, most=2)
    claim = agent.start()
    bench.update(loops=1)
    assert bench.show().state == "running"
    agent.commit(claim)
    bench.settle()
    view = bench.show()
    assert (view.state, len(view.loops)) == ("finished", 3)


def test_fewer_loops_while_a_silent_agent_infers_end_its_attempt(bench: Bench) -> None:
    """Its job closes without it: parts that nobody keeps are no way to a commit."""
    agent = bench.agent()
    bench.create(loops=4, takeover_after=0)
    claim = agent.start()
    agent.commit(claim, "train", "test")
    bench.tick(91)
    bench.update(loops=1, takeover_after=0)
    bench.settle()
    assert bench.show().state == "finished"
    with refused("job-closed"):
        agent.beat(claim)
    with refused("job-closed"):
        bench.put_part(claim)
    with refused("lease-lost") as lost:
        agent.commit(claim, "infer")
    assert "ends without it" in str(lost.value)


def test_fewer_loops_while_a_selection_is_owed_end_it_at_once(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=4)
    agent.commit(agent.start())
    bench.update(loops=1)
    bench.settle()
    view = bench.show()
    assert (view.state, len(view.loops)) == ("finished", 1)


def test_loops_that_were_added_by_mistake_can_be_taken_back(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent)
    bench.update(loops=9, batch=1)
    bench.update(loops=3, batch=1)
    assert bench.show().state == "finished"
    assert agent.poll() is None


def test_a_stop_that_is_added_is_judged_at_once(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=4)
    bench.run_loops(agent, most=2)
    bench.update(loops=4, stop={"max_labels": 8})
    assert bench.run_loops(agent) == ["digits/2 train test"]
    assert bench.show().reason == "stop.max_labels: 12 samples are labelled"


def test_a_target_that_is_raised_lets_a_finished_experiment_go_on(bench: Bench) -> None:
    agent = bench.agent()
    bench.analysis.accuracy = 0.9
    bench.create(stop={"target": {"metric": "accuracy", "value": 0.8}})
    bench.run_loops(agent)
    view = bench.update(stop={"target": {"metric": "accuracy", "value": 0.95}})
    assert (view.state, view.reason) == ("running", "")
    bench.settle()
    assert bench.run_loops(agent) == ["digits/1 " + ALL, "digits/2 train test"]


def test_a_change_that_brings_no_further_loop_leaves_a_finished_experiment(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent)
    view = bench.update(retries=5)
    assert (view.state, view.settings.retries) == ("finished", 5)
    assert agent.poll() is None


def test_loops_that_ran_by_other_settings_are_not_counted_anew(bench: Bench) -> None:
    """20 samples: 4 and 1 are labelled, 4 loops of 4 fit; from loop 0 on they would not."""
    agent = bench.agent()
    bench.create(batch=[4, 1, 1, 1, 1, 1], loops=6)
    bench.run_loops(agent, most=1)
    assert bench.update(batch=4, loops=5).settings.loops == 5
    with refused("invalid") as caught:
        bench.update(batch=4, loops=7)
    assert "asks for 25 labels" in caught.value.message
    assert "the pool has 20" in caught.value.message
    assert caught.value.code == "E-EXP-04"


def test_the_control_changes_with_its_experiment(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    bench.run_loops(agent)
    bench.update(control="replay", loops=4, batch=2)
    control = bench.show("digits-control")
    assert (control.state, control.settings.loops, control.settings.batch) == ("running", 4, 2)
    assert [part.name for part in control.settings.strategy] == ["random"]
    bench.settle()
    assert sorted(bench.run_loops(agent)) == [
        "digits-control/3 train test",
        "digits/2 infer",
        "digits/3 train test",
    ]


def test_a_cancelled_control_stays_as_it_is(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    bench.steer("cancel", name="digits-control")
    bench.update(control="replay", loops=4)
    assert bench.show("digits-control").settings.loops == 3
    assert len(bench.run_loops(agent)) == 4


def test_a_control_cannot_be_changed_by_itself(bench: Bench) -> None:
    bench.agent()
    bench.create(control="replay")
    with refused("conflict") as caught:
        bench.update(name="digits-control", batch=2)
    assert "is the control of `digits`" in caught.value.message


@pytest.mark.parametrize("state", ["paused", "waiting"])
def test_an_experiment_that_stands_still_does_so_with_new_settings(
    bench: Bench, state: str
) -> None:
    agent = bench.agent()
    bench.create()
    if state == "paused":
        bench.steer("pause")
    else:
        agent.fail(agent.start(), "user_code")
    assert bench.update(batch=2).state == state
    assert agent.poll() is None


def test_a_cancelled_experiment_cannot_be_changed(bench: Bench) -> None:
    bench.agent()
    bench.create()
    bench.steer("cancel")
    with refused("conflict") as caught:
        bench.update(batch=2)
    assert caught.value.code == "E-EXP-02"


def test_settings_that_did_not_fit_the_pool_are_mended(bench: Bench) -> None:
    bench.create(loops=9)
    agent = bench.agent()
    assert bench.show().state == "waiting"
    with refused("invalid"):
        bench.update(loops=8)
    assert bench.update(loops=2).state == "running"
    bench.settle()
    assert len(bench.run_loops(agent)) == 2


def test_an_experiment_that_waits_for_an_agent_is_changed_before_it_starts(bench: Bench) -> None:
    bench.create()
    bench.update(batch=2)
    agent = bench.agent()
    bench.settle()
    assert len(agent.claim().steps[0].payload.labeled) == 2


def test_a_control_begins_with_the_batch_that_its_experiment_had_before_the_change(
    bench: Bench,
) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    bench.run_loops(agent)
    bench.update(control="replay", batch=3, loops=4)
    bench.rewind(3, name="digits-control")
    bench.settle()
    assert bench.show("digits-control").state == "running"
    bench.run_loops(agent)
    sizes = [len(loop.selected) for loop in bench.show("digits-control").loops]
    assert sizes == [4, 3, 3, 3]
