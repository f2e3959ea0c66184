"""Labels by people: a loop waits for them, and trains on just those that were there."""

import re
from typing import Any

import pytest

from tests.support.benches import Bench, BenchAgent, refused

CSV = {"kind": "csv"}
DAY_S = 86400.0


def asking(bench: Bench, **changed: Any) -> BenchAgent:
    """`digits` with its first four samples asked for, and an agent."""
    agent = bench.agent()
    labels = {**CSV, **changed.pop("labels", {})}
    bench.create(labels=labels, **changed)
    return agent


def run_loop(bench: Bench, agent: BenchAgent) -> None:
    agent.commit(agent.start())
    bench.settle()


def trained_on(bench: Bench, agent: BenchAgent) -> dict[str, Any]:
    payload = agent.claim().steps[0].payload
    assert [str(index) for index in payload.labeled] == list(payload.labels)
    return payload.labels


class TestWaiting:
    def test_a_loop_waits_until_its_labels_are_there(self, bench: Bench) -> None:
        agent = asking(bench)
        assert bench.loop(0).state == "labelling"
        assert agent.poll() is None
        bench.bring({0: 1, 1: 0, 2: 1})
        assert agent.poll() is None, "one of four is missing"
        assert bench.bring({3: 0}).started
        assert trained_on(bench, agent) == {"0": 1, "1": 0, "2": 1, "3": 0}
        assert bench.loop(0).labels == 4

    def test_what_it_waits_for_and_since_when_is_told(self, bench: Bench) -> None:
        asking(bench)
        bench.bring({0: 1})
        view = bench.show()
        assert re.fullmatch(
            r"labels of 3 of 4 samples of loop 0, since \d{4}-\d\d-\d\d \d\d:\d\d UTC",
            view.waits_for,
        )
        loop = view.loops[0]
        assert (loop.asked, loop.returned) == (4, 1)
        assert loop.asked_at is not None
        listed = bench.run(bench.platform.list).experiments[0]
        assert listed.waits_for == view.waits_for
        assert bench.run(bench.platform.jobs).jobs[0].state == "labelling"

    def test_a_share_of_the_batch_is_enough_when_the_settings_say_so(self, bench: Bench) -> None:
        agent = asking(bench, labels={"min_returned": 0.5})
        bench.bring({0: 1})
        assert "labels of 3 of 4 samples of loop 0 (1 more are enough)" in bench.show().waits_for
        bench.bring({2: 0})
        claim = agent.claim()
        assert claim.steps[0].payload.labels == {"0": 1, "2": 0}
        assert claim.steps[2].payload.unlabeled == list(range(4, 20)), "asked is not unlabelled"

    def test_an_excluded_sample_has_come_back_and_is_not_trained_on(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring({0: 1, 1: None, 2: 1, 3: 0})
        assert trained_on(bench, agent) == {"0": 1, "2": 1, "3": 0}
        assert bench.loop(0).labels == 3

    def test_without_any_label_it_keeps_waiting_and_says_so(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring(dict.fromkeys(range(4)))
        assert agent.poll() is None
        told = "a label: 4 of 4 samples of loop 0 are excluded, and none has one"
        assert told in bench.show().waits_for
        assert bench.bring({2: 1}).corrected == 1
        assert trained_on(bench, agent) == {"2": 1}

    def test_experiments_with_known_labels_wait_for_nobody(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        assert agent.claim().steps[0].payload.labels is None
        assert (bench.loop(0).asked, bench.loop(0).asked_at) == (None, None)


class TestTimeout:
    def test_when_the_time_is_up_what_is_there_is_enough(self, bench: Bench) -> None:
        agent = asking(bench, labels={"timeout": "2d"})
        bench.bring({1: 1})
        bench.tick(2 * DAY_S - 10)
        assert agent.poll() is None
        bench.tick(10)
        assert trained_on(bench, agent) == {"1": 1}

    def test_it_counts_from_the_asking_whatever_the_hub_did_meanwhile(self, bench: Bench) -> None:
        agent = asking(bench, labels={"timeout": "2d"})
        bench.bring({1: 1})
        bench.clock.advance(1.9 * DAY_S)
        bench.restart_hub()
        agent.restart()
        bench.tick(0.1 * DAY_S)
        assert trained_on(bench, agent) == {"1": 1}

    def test_without_any_label_the_first_one_lets_it_go_on(self, bench: Bench) -> None:
        agent = asking(bench, labels={"timeout": "2d"})
        bench.tick(3 * DAY_S)
        assert agent.poll() is None
        bench.bring({3: 0})
        assert trained_on(bench, agent) == {"3": 0}

    def test_a_batch_that_nobody_labelled_lets_the_older_labels_do(self, bench: Bench) -> None:
        agent = asking(bench, labels={"timeout": "2d"})
        bench.bring()
        run_loop(bench, agent)
        bench.tick(2 * DAY_S)
        claim = agent.claim()
        assert claim.steps[0].payload.labeled == [0, 1, 2, 3]
        assert claim.steps[2].payload.unlabeled == list(range(8, 20)), "asked is not asked again"

    def test_the_clock_is_looked_at_only_while_it_matters(self, bench: Bench) -> None:
        asking(bench, labels={"timeout": "2d"})
        bench.tick()
        assert bench.platform.may_have_claims
        bench.bring()
        bench.tick()
        assert not bench.platform.may_have_claims

    def test_without_a_timeout_nobody_looks_at_the_clock(self, bench: Bench) -> None:
        asking(bench)
        bench.tick()
        assert not bench.platform.may_have_claims


class TestWhichLabelsCount:
    def test_a_retry_trains_on_the_same_labels_a_correction_counts_in_the_next_loop(
        self, bench: Bench
    ) -> None:
        agent = asking(bench)
        bench.bring()
        first = agent.start()
        done = bench.bring({2: 1})
        assert (done.corrected, done.effective_loop) == (1, 1)
        agent.fail(first, "crash")
        again = agent.start()
        assert again.attempt == 2
        assert again.steps[0].payload == first.steps[0].payload.model_copy(
            update={"ckpt_file": "digits-ckpt_0-a2"}
        )
        agent.commit(again)
        bench.settle()
        bench.bring()
        assert trained_on(bench, agent)["2"] == 1

    def test_labels_that_come_late_count_in_the_next_loop(self, bench: Bench) -> None:
        agent = asking(bench, labels={"min_returned": 0.5})
        bench.bring({0: 1, 1: 1})
        claim = agent.start()
        late = bench.bring({3: 1})
        assert (late.new, late.started, late.effective_loop) == (1, False, 1)
        agent.commit(claim)
        bench.settle()
        assert bench.loop(0).labels == 2
        assert (bench.loop(0).asked, bench.loop(0).returned) == (4, 3)
        bench.bring({4: 0, 5: 0})
        assert trained_on(bench, agent) == {"0": 1, "1": 1, "3": 1, "4": 0, "5": 0}

    def test_a_correction_to_an_exclusion_takes_the_sample_away(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring()
        run_loop(bench, agent)
        assert bench.bring({0: None}).excluded == 1
        bench.bring()
        assert list(trained_on(bench, agent)) == ["1", "2", "3", "4", "5", "6", "7"]

    def test_rewinding_keeps_labels_and_asks_only_for_what_is_missing(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring()
        run_loop(bench, agent)
        bench.bring({4: 0, 5: 0})
        bench.rewind(2)
        bench.settle()
        assert trained_on(bench, agent) == {"0": 0, "1": 0, "2": 0, "3": 0}
        assert bench.queue(is_whole=True).loops[0].returned == 4

    def test_a_rewound_loop_trains_on_corrected_labels(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring()
        agent.start()
        bench.bring({0: 1})
        bench.rewind()
        bench.settle()
        assert trained_on(bench, agent)["0"] == 1


class TestSpending:
    def test_samples_are_never_chosen_twice(self, bench: Bench) -> None:
        agent = asking(bench, labels={"min_returned": 0.25}, stop={"max_labels": 20}, loops=9)
        chosen: list[int] = []
        while bench.show().state == "running":
            batch = bench.show().loops[-1].selected
            bench.bring({batch[0]: 1, batch[1]: None})
            chosen += batch
            run_loop(bench, agent)
        assert sorted(chosen) == list(range(20))
        told = "the pool is empty: 20 samples were asked for, the last loop had labels of 5"
        assert bench.show().reason == told

    def test_max_labels_does_not_count_what_cannot_be_labelled(self, bench: Bench) -> None:
        agent = asking(bench, stop={"max_labels": 6}, loops=9)
        bench.bring({0: 1, 1: None, 2: None, 3: 0})
        run_loop(bench, agent)
        assert bench.loop(1).selected == [4, 5, 6, 7]
        bench.bring()
        run_loop(bench, agent)
        view = bench.show()
        assert (view.state, view.reason) == ("finished", "stop.max_labels: 6 samples are labelled")

    def test_labels_that_are_still_asked_for_are_spent(self, bench: Bench) -> None:
        agent = asking(bench, stop={"max_labels": 6}, labels={"min_returned": 0.5}, loops=9)
        bench.bring({0: 1, 1: 1})
        run_loop(bench, agent)
        assert bench.loop(1).selected == [4, 5], "four of six are spent"
        bench.bring({4: 1})
        run_loop(bench, agent)
        told = "stop.max_labels: 6 samples were asked for, the last loop had labels of 3"
        assert bench.show().reason == told

    def test_exclusions_of_the_last_batch_make_room_for_another(self, bench: Bench) -> None:
        """Its infer was not planned when it was made."""
        agent = asking(bench, stop={"max_labels": 4}, loops=9)
        bench.bring({0: 1, 1: None, 2: 0, 3: 0})
        run_loop(bench, agent)
        assert bench.loop(1).selected == [4]

    def test_the_schedule_counts_labels(self, bench: Bench) -> None:
        schedule = [{"from_labels": 4, "strategy": "entropy"}]
        agent = asking(bench, schedule=schedule)
        bench.bring({0: 1, 1: None, 2: 0, 3: 0})
        run_loop(bench, agent)
        assert bench.loop(1).chosen_by == "margin"
        bench.bring()
        run_loop(bench, agent)
        assert bench.loop(2).chosen_by == "entropy"


class TestSteering:
    def test_a_paused_experiment_goes_on_waiting_and_its_labels_can_be_mended(
        self, bench: Bench
    ) -> None:
        agent = asking(bench)
        bench.steer("pause")
        assert not bench.bring().started
        bench.bring({0: 1})
        assert bench.show().waits_for == ""
        bench.steer("resume")
        assert trained_on(bench, agent)["0"] == 1

    def test_time_that_ran_out_in_a_pause_counts_when_it_goes_on(self, bench: Bench) -> None:
        agent = asking(bench, labels={"timeout": "1d"})
        bench.bring({0: 1})
        bench.steer("pause")
        bench.tick(2 * DAY_S)
        assert agent.poll() is None
        bench.steer("resume")
        assert trained_on(bench, agent) == {"0": 1}

    def test_a_cancelled_experiment_takes_no_labels(self, bench: Bench) -> None:
        asking(bench)
        bench.bring({1: 1})
        bench.steer("cancel")
        with refused("conflict"):
            bench.bring({0: 1})
        assert len(bench.queue().samples) == 4, "what people did can still be fetched"

    def test_less_is_enough_after_an_update(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring({0: 1})
        assert agent.poll() is None
        bench.update(labels={**CSV, "min_returned": 0.25})
        assert trained_on(bench, agent) == {"0": 1}

    def test_how_long_to_wait_may_change_also_when_loops_are_done(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring()
        run_loop(bench, agent)
        bench.update(labels={**CSV, "timeout": "1d"})
        bench.tick(DAY_S)
        assert agent.claim().loop == 1
        with refused("conflict") as caught:
            bench.update(labels={"kind": "known"})
        assert caught.value.code == "E-EXP-06"

    def test_new_times_are_about_the_loop_that_waits(self, bench: Bench) -> None:
        """`run` then says from which loop on they would hold."""
        asking(bench)
        with refused("conflict") as caught:
            bench.create(labels={**CSV, "timeout": "1d"})
        assert caught.value.extra["next_loop"] == 0
        assert caught.value.extra["keys"] == ["labels.timeout"]

    def test_another_kind_of_labels_begins_it_anew_while_no_loop_is_done(
        self, bench: Bench
    ) -> None:
        agent = asking(bench)
        bench.update()
        bench.settle()
        assert agent.claim().steps[0].payload.labels is None

    def test_a_job_that_waits_for_labels_is_not_to_be_reassigned(self, bench: Bench) -> None:
        asking(bench)
        with refused("conflict") as caught:
            bench.steer("reassign")
        assert "digits/0 waits for labels of 4 of 4 samples" in caught.value.message

    def test_a_pool_grows_while_people_label(self, bench: Bench) -> None:
        agent = asking(bench)
        agent.restart(pipelines=[{"name": "digits", "pool_size": 30}])
        bench.extend(pool=30)
        assert bench.loop(0).state == "labelling"
        bench.bring()
        assert agent.claim().steps[2].payload.unlabeled == list(range(4, 30))

    def test_more_loops_are_asked_for_when_it_is_finished(self, bench: Bench) -> None:
        agent = asking(bench, loops=1)
        bench.bring()
        run_loop(bench, agent)
        assert bench.show().state == "finished"
        assert bench.bring({0: 1}).effective_loop is None
        bench.extend(loops=2)
        run_loop(bench, agent)
        assert bench.loop(1).state == "labelling"
        bench.bring()
        assert trained_on(bench, agent)["0"] == 1

    def test_other_experiments_run_meanwhile(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.create(name="other")
        assert agent.claim().experiment == "other"


class TestImport:
    @pytest.mark.parametrize(
        ("changed", "said", "kept"),
        [
            ({}, "1", 1),
            ({}, 1, 1),
            ({"classes": ["cat", "dog"]}, " dog ", "dog"),
            ({"classes": ["cat", "dog"]}, "1", "dog"),
            ({"classes": ["cat", "dog"]}, 0, "cat"),
            ({"classes": ["1", "0"]}, "1", "1"),
            ({"classes": ["1", "0"]}, 1, "1"),
            ({"classes": ["2", "1"]}, 0, "2"),
            ({"classes": [" cat", "dog "]}, "cat", " cat"),
            ({"classes": [" cat", "dog "]}, "dog ", "dog "),
            ({"classes": ["cat", "cat "]}, "cat ", "cat "),
            ({"task": "multi_label", "strategy": "random", "classes": ["1", "0"]}, "[1]", ["1"]),
            (
                {"task": "multi_label", "strategy": "random", "classes": ["a ", "b"]},
                "b|a",
                ["b", "a "],
            ),
            ({"task": "multi_label", "strategy": "random"}, "1 | 0", [1, 0]),
            ({"task": "multi_label", "strategy": "random"}, "[]", []),
            ({"task": "regression", "classes": None, "strategy": "random"}, "3.5", 3.5),
            ({"task": "custom", "classes": None, "strategy": "random"}, '{"a": [1]}', {"a": [1]}),
            ({"task": "custom", "classes": None, "strategy": "random"}, "a {b", "a {b"),
        ],
    )
    def test_a_label_is_kept_as_hooks_get_it(
        self, bench: Bench, changed: dict[str, Any], said: Any, kept: Any
    ) -> None:
        agent = asking(bench, batch=1, **changed)
        bench.bring({0: said})
        assert trained_on(bench, agent) == {"0": kept}

    def test_a_name_that_may_be_two_classes_is_refused(self, bench: Bench) -> None:
        asking(bench, classes=["cat", "cat "])
        with refused("invalid") as caught:
            bench.bring({0: "cat"})
        told = "label: found 'cat', which may be 'cat' and 'cat '; rename one"
        assert told in caught.value.message

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({20: 1}, "index: found 20; the pool has 20 samples, from 0 to 19"),
            ({7: 1}, "index: sample 7 was never asked for"),
            ({0: "dgo"}, "label: found 'dgo', expected a class: cat, dog. Did you mean `dog`?"),
            ({0: 2}, "label: found 2, expected a class: cat, dog"),
            ({0: True}, "label: found True, expected a class"),
            ({0: ["cat"]}, "label: found ['cat'], expected a class"),
        ],
    )
    def test_a_wrong_row_is_named_and_nothing_is_imported(
        self, bench: Bench, given: dict[int, Any], told: str
    ) -> None:
        asking(bench, classes=["cat", "dog"])
        with refused("invalid") as caught:
            bench.bring({1: "cat", **given})
        assert caught.value.code == "E-EXP-12"
        wrong = caught.value.extra["rows"]
        assert [(row["row"], row["problem"].startswith(told)) for row in wrong] == [(1, True)]
        assert bench.loop(0).returned == 0

    def test_all_wrong_rows_are_told_at_once(self, bench: Bench) -> None:
        asking(bench)
        with refused("invalid") as caught:
            bench.bring({0: 9, 1: 1, 19: 1, 99: 1})
        assert [row["index"] for row in caught.value.extra["rows"]] == [0, 19, 99]
        assert "(and 2 more rows). Nothing was imported" in caught.value.message

    def test_a_check_changes_nothing(self, bench: Bench) -> None:
        asking(bench)
        before = bench.show()
        assert bench.bring({0: 1}, only_check=True).new == 1
        assert bench.show() == before

    def test_it_is_counted_what_is_new_corrected_unchanged_and_excluded(self, bench: Bench) -> None:
        asking(bench)
        bench.bring({0: 1, 1: 1})
        done = bench.bring({0: 0, 1: 1, 2: None})
        assert (done.new, done.corrected, done.unchanged, done.excluded) == (0, 1, 1, 1)
        assert (done.missing, done.asked, done.loop, done.started) == (1, 4, 0, False)

    def test_the_same_again_changes_nothing(self, bench: Bench) -> None:
        asking(bench)
        bench.bring({0: 1, 1: None})
        before = bench.show().version
        assert bench.bring({0: 1, 1: None}).unchanged == 2
        assert bench.show().version == before

    def test_who_labelled_is_kept(self, bench: Bench) -> None:
        asking(bench)
        rows = [{"index": 0, "label": 1, "annotator": "ada", "seconds": 2.5}]
        bench.bring({}, rows=rows)
        sample = bench.queue().samples[0]
        assert (sample.annotator, sample.seconds, sample.label) == ("ada", 2.5, 1)

    def test_with_known_labels_nobody_is_asked(self, bench: Bench) -> None:
        bench.agent()
        bench.create()
        for call in (lambda: bench.bring({0: 1}), bench.queue):
            with refused("conflict") as caught:
                call()
            assert caught.value.code == "E-EXP-13"


class TestQueue:
    def test_it_lists_the_samples_of_loops_that_lack_labels(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring()
        run_loop(bench, agent)
        bench.bring({4: 1, 5: None})
        queue = bench.queue()
        assert [(each.index, each.loop, each.status, each.label) for each in queue.samples] == [
            (4, 1, "labelled", 1), (5, 1, "excluded", None), (6, 1, "asked", None),
            (7, 1, "asked", None),
        ]  # fmt: skip
        assert (queue.samples[0].score, queue.samples[0].reason) == (0.25, "margin")
        assert [(each.asked, each.returned, each.excluded) for each in queue.loops] == [
            (4, 4, 0), (4, 2, 1),
        ]  # fmt: skip
        assert len(bench.queue(is_whole=True).samples) == 8

    def test_before_the_first_selection_there_is_none(self, bench: Bench) -> None:
        bench.create(labels=CSV)
        assert bench.queue().loops == []
        with refused("invalid"):
            bench.bring({0: 1})


class TestAsking:
    def asked(self, bench: Bench) -> list[Any]:
        return list(bench.run(bench.platform.asking))

    def test_those_that_wait_for_labels_come_first(self, bench: Bench) -> None:
        asking(bench, name="waits")
        bench.create(name="known")
        bench.create(name="done", labels=CSV)
        bench.settle()
        bench.bring(dict.fromkeys(range(4), 1), name="done")
        bench.bring({0: 1}, name="waits")
        waits, done = self.asked(bench)
        assert (waits.name, waits.loop, waits.asked, waits.returned) == ("waits", 0, 4, 1)
        assert waits.waits_for.startswith("labels of 3 of 4 samples of loop 0")
        assert waits.since is not None
        assert waits.is_open
        assert (done.name, done.waits_for, done.returned, done.is_open) == ("done", "", 4, False)

    def test_before_the_first_batch_nothing_is_asked(self, bench: Bench) -> None:
        bench.create(labels=CSV)
        (found,) = self.asked(bench)
        assert (found.loop, found.asked, found.is_open) == (None, 0, False)

    def test_nothing_is_to_come_for_one_that_was_cancelled(self, bench: Bench) -> None:
        asking(bench)
        bench.run(lambda tx: bench.platform.cancel(tx, "digits"))
        (found,) = self.asked(bench)
        assert (found.returned, found.asked, found.is_open) == (0, 4, False)


class TestDocument:
    def test_classes_are_those_that_people_gave(self, bench: Bench) -> None:
        agent = asking(bench, classes=["cat", "dog"])
        bench.bring({0: "cat", 1: "dog", 2: None, 3: "dog"})
        run_loop(bench, agent)
        bench.bring({0: "dog", 4: "cat"})
        loops = bench.run(lambda tx: bench.platform.history(tx, "digits"))["loops"]
        assert loops[0]["batch_labels"] == ["cat", "dog", None, "dog"], "as it was trained on"
        assert loops[0]["class_counts"]["labelled"] == [1, 2]
        assert loops[1]["batch_labels"] == ["cat", None, None, None], "as it is now"
        assert loops[1]["class_counts"]["labelled"] == [1, 3]
        assert loops[0]["labels"] == 3
        assert loops[1]["times"]["asked_at"] is not None

    def test_what_people_said_since_the_loop_before_is_told(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring({0: 1, 1: 1, 2: 0, 3: None})
        run_loop(bench, agent)
        bench.bring({0: 0, 1: None, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1})
        agent.claim()
        bench.bring({4: 0})
        loops = bench.run(lambda tx: bench.platform.history(tx, "digits"))["loops"]
        assert loops[0]["label_changes"] == [[0, 1], [1, 1], [2, 0]]
        assert loops[1]["label_changes"] == [
            [0, 0], [1, None], [3, 1], [4, 1], [5, 1], [6, 1], [7, 1],
        ]  # fmt: skip

    def test_with_known_labels_there_are_no_changes(self, bench: Bench) -> None:
        bench.agent()
        bench.create()
        loops = bench.run(lambda tx: bench.platform.history(tx, "digits"))["loops"]
        assert loops[0]["label_changes"] is None
