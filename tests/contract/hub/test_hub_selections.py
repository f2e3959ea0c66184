"""Selections: owed by the tables, made once, and what they are made of."""

import pytest

from alectio_agent.hub.experiments.analysis_process import AnalysisEndedError, AnalysisError
from alectio_agent.hub.experiments.selections import FEW, insert_selection, next_owed
from tests.support.benches import Bench, make_settings


def select_requests(bench: Bench):
    return [asked for asked in bench.analysis.requests if asked["op"] == "select"]


def run_loop(bench: Bench, agent, **said) -> None:
    agent.commit(agent.start(), **said)
    bench.settle()


def test_loop_0_is_chosen_by_chance_from_the_whole_pool(bench: Bench) -> None:
    bench.agent()
    bench.create(seed=7, strategy=["margin"], tie_break="index", subsample=9, dedup=None)
    assert select_requests(bench) == [
        {
            "op": "select", "seed": 7, "loop": 0, "batch": 4, "soon": ["margin"],
            "strategy": [{"name": "random", "share": 1.0}],
            "tie_break": "index", "dedup": None, "subsample": 9,
            "output": "logits", "classes": 2, "pool": 20, "labeled": [], "result": None,
        }
    ]  # fmt: skip
    assert bench.loop(0).chosen_by == "random"


def test_later_loops_are_chosen_from_what_infer_gave(bench: Bench) -> None:
    agent = bench.agent()
    parts = [{"name": "margin", "share": 0.9}, {"name": "random", "share": 0.1}]
    bench.create(strategy=parts)
    run_loop(bench, agent)
    asked = select_requests(bench)[1]
    assert (asked["loop"], asked["strategy"]) == (1, parts)
    assert [index for index, _ in asked["result"]["inline"]["rows"]] == list(range(4, 20))
    assert "pool" not in asked
    assert bench.loop(1).chosen_by == "margin 90 %, random 10 %"
    assert bench.loop(1).selected == [4, 5, 6, 7]


def test_the_schedule_and_the_batches_are_followed(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(batch=[3, 2], schedule=[{"from_labels": 5, "strategy": "entropy"}])
    run_loop(bench, agent)
    run_loop(bench, agent)
    assert [asked["batch"] for asked in select_requests(bench)] == [3, 2, 2]
    assert [loop.chosen_by for loop in bench.show().loops] == ["random", "margin", "entropy"]


def test_a_control_copies_the_first_batch_and_chooses_the_rest_by_chance(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.analysis.answers = [
        {"indices": [2, 5, 7, 11], "scores": [None] * 4, "reasons": ["random"] * 4}
    ]
    bench.create(control="replay")
    assert len(select_requests(bench)) == 1
    assert bench.loop(0, "digits-control").selected == [2, 5, 7, 11]
    agent.start()
    run_loop(bench, other)
    asked = select_requests(bench)[1]
    assert (asked["result"], asked["pool"], asked["labeled"]) == (None, 20, [2, 5, 7, 11])
    assert asked["strategy"] == [{"name": "random", "share": 1.0}]


def test_a_control_waits_for_the_first_batch_of_its_experiment(bench: Bench) -> None:
    bench.agent()
    bench.analysis.answers = [AnalysisError("no")]
    bench.create(control="replay")
    assert bench.show("digits-control").loops[0].state == "selecting"
    bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    bench.settle()
    assert bench.loop(0, "digits-control").selected == [0, 1, 2, 3]


def test_a_restarted_hub_makes_the_selection_that_is_owed(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.restart_hub()
    assert bench.show().loops[1].state == "selecting"
    bench.settle()
    assert bench.loop(1).state == "available"


def test_an_owed_selection_wakes_the_worker(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.worker.wake.clear()
    agent.commit(agent.start(), "train")
    assert not bench.worker.wake.is_set()
    claim = agent.poll(seq=1)
    agent.commit(claim, "test")
    assert bench.worker.wake.is_set(), "for the metrics"
    bench.worker.wake.clear()
    agent.commit(claim, "infer")
    assert bench.worker.wake.is_set()


def test_a_selection_comes_before_metrics(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.worker.step()
    assert bench.analysis.requests[-1]["op"] == "select"
    assert bench.loop(0).metrics is None
    bench.worker.step()
    assert bench.loop(0).metrics is not None


def test_no_selection_is_made_while_paused(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.run(lambda tx: bench.platform.pause(tx, "digits"))
    agent.commit(claim)
    bench.settle()
    assert len(bench.show().loops) == 1
    bench.run(lambda tx: bench.platform.resume(tx, "digits"))
    bench.settle()
    assert len(bench.show().loops) == 2


def test_a_pause_while_a_selection_is_made_discards_it(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    ask = bench.analysis.ask

    def ask_and_pause(request):
        answer = ask(request)
        bench.analysis.ask = ask
        bench.run(lambda tx: bench.platform.pause(tx, "digits"))
        return answer

    bench.analysis.ask = ask_and_pause
    bench.settle()
    assert len(bench.show().loops) == 1
    bench.run(lambda tx: bench.platform.resume(tx, "digits"))
    bench.settle()
    assert len(bench.show().loops) == 2


def test_a_selection_that_cannot_be_made_waits_for_a_person(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.analysis.answers = [AnalysisError("row 7 has 3 scores; expected 2")]
    bench.settle()
    view = bench.show()
    assert view.state == "waiting"
    assert view.reason == (
        "E-EXP-08  selection for loop 1: row 7 has 3 scores; expected 2. To choose again: "
        "alectio-agent experiment retry digits. When the scores are wrong, mend infer, then: "
        "alectio-agent experiment rewind digits"
    )
    bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    bench.settle()
    assert bench.loop(1).state == "available"


def test_a_refusal_of_settings_that_changed_meanwhile_stops_nobody(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    ask = bench.analysis.ask

    def change_and_refuse(_):
        bench.analysis.ask = ask
        bench.update(strategy="random")
        raise AnalysisError("margin: bad scores")

    bench.analysis.ask = change_and_refuse
    bench.settle()
    assert bench.show().state == "running"
    assert bench.loop(1).chosen_by == "random"


def test_a_copied_batch_that_was_chosen_anew_meanwhile_is_not_kept(bench: Bench) -> None:
    bench.agent()
    bench.run(lambda tx: bench.platform.create(tx, make_settings(control="replay")))
    bench.worker.step()
    context = bench.platform.context
    owed = bench.run(lambda tx: next_owed(tx, context))
    bench.rewind(1)
    found = owed.copied
    assert not bench.run(lambda tx: insert_selection(tx, context, owed, found))
    bench.analysis.answers = [
        {"indices": [6, 7, 8, 9], "scores": [None] * 4, "reasons": ["random"] * 4}
    ]
    bench.settle()
    assert bench.loop(0, "digits-control").selected == bench.loop(0).selected == [6, 7, 8, 9]


@pytest.mark.parametrize(
    ("indices", "told"),
    [
        ([4, 5, 6], "3 samples were chosen; expected 4"),
        ([4, 5, 6, 6], "3 samples were chosen; expected 4"),
        ([4, 5, 6, 20], "a sample outside the pool of 20 was chosen"),
        ([3, 4, 5, 6], "sample 3 was chosen a second time"),
    ],
)
def test_a_wrong_selection_is_never_kept(bench: Bench, indices: list[int], told: str) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    answer = {"indices": indices, "scores": [1] * len(indices), "reasons": ["x"] * len(indices)}
    bench.analysis.answers = [answer]
    bench.settle()
    assert bench.show().reason.startswith(f"E-EXP-08  selection for loop 1: {told}. ")
    assert len(bench.show().loops) == 1


def test_an_analysis_process_that_ends_is_asked_again_and_then_given_up(bench: Bench) -> None:
    bench.agent()
    bench.analysis.answers = [AnalysisEndedError("it ended (exit code -9)")]
    bench.create()
    assert bench.worker.step() == 0.0
    assert bench.loop(0).state == "available"
    bench.analysis.answers = [AnalysisEndedError("it ended (exit code -9)")] * 3
    bench.create(name="letters")
    assert [bench.worker.step() for _ in range(2)] == [1.0, 0.0]
    reason = bench.show("letters").reason
    assert reason.startswith("E-EXP-08  selection for loop 0: it ended (exit code -9), 3 times. ")


def test_the_worker_sleeps_when_nothing_is_owed(bench: Bench) -> None:
    assert bench.worker.step() == 60.0


def test_metrics_are_asked_for_with_the_classes_of_the_experiment(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(classes=["cat", "dog"])
    agent.commit(agent.start(), "train", "test")
    bench.settle()
    asked = bench.analysis.requests[-1]
    assert asked == {
        "op": "metrics", "soon": ["margin"], "task": "classification",
        "classes": 2, "class_names": ["cat", "dog"],
        "output": "logits", "chooses_by_scores": True,
        "result": {
            "media_type": "application/json", "parts": [],
            "inline": {"rows": [[0, [0.5, 0.25]], [1, [0.5, 0.25]]]},
        },
    }  # fmt: skip
    assert bench.loop(0).metrics == dict.fromkeys(
        ("accuracy", "macro_f1", "macro_precision", "macro_recall"), 0.5
    )


def test_metrics_are_tried_again_when_the_analysis_process_ended(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    agent.commit(agent.start())
    bench.analysis.answers = [AnalysisEndedError("it ended (exit code -9)")]
    assert [bench.worker.step(), bench.worker.step()] == [1.0, 0.0]
    assert bench.show().state == "finished"


def test_metrics_of_a_result_that_was_voided_meanwhile_are_dropped(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(takeover_after=0)
    agent.commit(agent.start(), "train", "test")
    bench.tick(91)
    new = other.start()
    ask = bench.analysis.ask

    def ask_while_another_commits(request):
        bench.analysis.ask = ask
        other.commit(new, "train")
        return ask(request)

    bench.analysis.ask = ask_while_another_commits
    bench.settle()
    assert bench.loop(0).metrics is None
    assert bench.loop(0).agent == "other"


def test_metrics_that_cannot_be_computed_stop_nobody(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    agent.commit(agent.start())
    bench.analysis.answers = [AnalysisError("label 'x' is no class")]
    bench.settle()
    view = bench.show()
    assert view.state == "finished"
    assert view.loops[0].metrics == {}
    assert view.loops[0].warnings == ["metrics: label 'x' is no class"]


def test_many_controls_that_wait_for_their_experiments_hold_up_no_other(bench: Bench) -> None:
    bench.agent()
    for at in range(FEW + 1):
        bench.analysis.answers.append(AnalysisError("no"))
        bench.create(name=f"refused{at}", control="replay")
    view = bench.create(name="digits", control="replay")
    bench.settle()
    control = bench.show(view.control or "")
    assert [loop.state for loop in control.loops] == ["available"]
