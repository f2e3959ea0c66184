"""Which labels by people stay when loops are rewound or an experiment begins anew."""

from typing import Any

import pytest

from alectio_agent.hub.experiments import label_import
from alectio_agent.wire.labels import LabelImport
from tests.support.benches import DIGEST, Bench, BenchAgent, refused

CSV = {"kind": "csv"}
PAIR = [{"name": "digits", "pool_size": 20}, {"name": "xray", "pool_size": 20}]


def asking(bench: Bench, **changed: Any) -> BenchAgent:
    """`digits` with its first four samples asked for, and an agent."""
    agent = bench.agent(pipelines=PAIR)
    bench.create(**{"labels": CSV, "pipeline": "digits", **changed})
    return agent


def update(bench: Bench, **changed: Any) -> None:
    bench.update(**{"labels": CSV, "pipeline": "digits", **changed})
    bench.settle()


def state_of(size: int, digest: str) -> list[dict[str, Any]]:
    return [{"name": "digits", "state_size": size, "state_digest": digest}]


class TestBeginAnew:
    @pytest.mark.parametrize(
        "changed",
        [
            {"classes": ["red", "blue"]},
            {"classes": 3},
            {"pipeline": "xray"},
            {"task": "regression", "classes": None, "strategy": "random"},
            {"pool": 15},
        ],
    )
    def test_labels_of_other_samples_or_classes_count_no_more(
        self, bench: Bench, changed: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        asking(bench, classes=["cat", "dog"])
        bench.bring(dict.fromkeys(range(4), "cat"))
        assert bench.loop(0).state == "available"
        with caplog.at_level("WARNING", "alectio_agent"):
            update(bench, **{"classes": ["cat", "dog"], **changed})
        assert (bench.loop(0).state, bench.loop(0).returned) == ("labelling", 0)
        assert "4 labels count no more" in caplog.text

    @pytest.mark.parametrize(
        "changed", [{"seed": 7}, {"initial": {"size": 3}}, {"output": "logits"}, {"batch": 3},
                    {"strategy": "entropy"}, {"labels": {**CSV, "timeout": "2d"}}],
    )  # fmt: skip
    def test_labels_that_mean_the_same_stay(self, bench: Bench, changed: dict[str, Any]) -> None:
        agent = asking(bench)
        bench.bring({0: 1, 1: 1, 2: 0, 3: 0})
        update(bench, **changed)
        labels = agent.claim().steps[0].payload.labels
        assert labels == {str(at): [1, 1, 0, 0][at] for at in bench.loop(0).selected}

    def test_labels_of_a_pool_that_was_another_count_no_more(self, bench: Bench) -> None:
        agent = bench.agent(pipelines=state_of(20, DIGEST))
        bench.create(labels=CSV)
        bench.bring()
        agent.restart(pipelines=state_of(20, "e" * 64))
        bench.update(labels=CSV, seed=7)
        bench.settle()
        assert (bench.loop(0).state, bench.loop(0).returned) == ("labelling", 0)

    def test_without_an_agent_labels_keep_the_pool_that_they_are_of(self, bench: Bench) -> None:
        agent = bench.agent(pipelines=state_of(20, DIGEST))
        bench.create(labels=CSV)
        bench.bring()
        bench.restart_hub()
        bench.update(labels=CSV, seed=7)
        bench.settle()
        assert (bench.show().pool, bench.loop(0).returned) == (20, 4)
        claim = agent.restart(pipelines=state_of(20, "e" * 64)).claim()
        assert claim.pool.digest == DIGEST, "an agent with other samples stops there"
        assert len(claim.steps[0].payload.labels) == 4

    def test_what_was_asked_before_is_not_asked_any_more(self, bench: Bench) -> None:
        asking(bench, initial={"size": 6})
        update(bench, classes=3)
        with refused("invalid"):
            bench.bring({5: 1})


class TestRewinding:
    def test_labels_of_a_rewound_batch_are_taken_and_count_when_chosen_again(
        self, bench: Bench
    ) -> None:
        """Somebody was paid for them."""
        agent = asking(bench, batch=[4, 4, 4])
        bench.bring()
        agent.commit(agent.start())
        bench.settle()
        assert bench.loop(1).selected == [4, 5, 6, 7]
        bench.rewind()
        done = bench.bring({4: 1, 5: 0})
        assert (done.new, done.unasked) == (2, 2)
        bench.settle()
        assert bench.loop(1).returned == 2
        done = bench.bring({6: 1, 7: 1})
        assert (done.started, done.unasked) == (True, 0)
        assert agent.claim().steps[0].payload.labels["4"] == 1

    def test_samples_that_nobody_was_asked_for_are_refused_still(self, bench: Bench) -> None:
        asking(bench)
        bench.rewind()
        with refused("invalid") as caught:
            bench.bring({9: 1})
        assert "sample 9 was never asked for" in caught.value.message

    def test_excluded_samples_are_never_chosen_again(self, bench: Bench) -> None:
        agent = asking(bench)
        bench.bring()
        agent.commit(agent.start())
        bench.settle()
        bench.bring({4: None, 6: None, 5: 1})
        bench.rewind()
        bench.settle()
        assert bench.loop(1).selected == [5, 7, 8, 9]
        bench.rewind(2)
        bench.settle()
        assert bench.loop(0).selected == [0, 1, 2, 3]

    def test_they_are_not_counted_as_free(self, bench: Bench) -> None:
        agent = asking(bench, batch=8)
        bench.bring()
        agent.commit(agent.start())
        bench.settle()
        bench.bring({8: None, 9: None})
        bench.rewind()
        bench.settle()
        assert bench.loop(1).selected == list(range(10, 18))
        bench.bring()
        agent.commit(agent.start())
        bench.settle()
        assert bench.loop(2).selected == [18, 19]

    def test_a_sample_that_can_be_labelled_after_all_is_chosen(self, bench: Bench) -> None:
        asking(bench)
        bench.bring({0: None})
        bench.rewind()
        bench.settle()
        assert bench.loop(0).selected == [1, 2, 3, 4]
        bench.bring({0: 1})
        bench.rewind()
        bench.settle()
        assert bench.loop(0).selected == [0, 1, 2, 3]

    def test_a_loop_whose_samples_are_all_excluded_is_rewound_to_others(self, bench: Bench) -> None:
        asking(bench)
        bench.bring(dict.fromkeys(range(4)))
        way = "(`alectio-agent experiment rewind digits` chooses others)"
        assert bench.show().waits_for.endswith(way)
        bench.rewind()
        bench.settle()
        assert bench.loop(0).selected == [4, 5, 6, 7]

    def test_a_pool_that_is_excluded_as_a_whole_waits_for_a_person(self, bench: Bench) -> None:
        asking(bench, pool=4, loops=1)
        bench.bring(dict.fromkeys(range(4)))
        bench.rewind()
        bench.settle()
        view = bench.show()
        assert view.state == "waiting"
        assert "no sample is left to choose: all that are in no loop are excluded" in view.reason
        assert len(bench.analysis.requests) == 1


class TestCheckedBeforehand:
    """An import is worked out beside the writer; whatever happens meanwhile, it does right."""

    def keep(self, bench: Bench, given: dict[int, Any], meanwhile: Any) -> Any:
        rows = [{"index": at, "label": label} for at, label in given.items()]
        said = LabelImport.model_validate({"rows": rows})
        checked = bench.platform.check_labels(
            bench.run(lambda tx: bench.platform.see_labels(tx, "digits")), said
        )
        meanwhile()
        return bench.run(lambda tx: bench.platform.import_labels(tx, "digits", said, checked))

    def test_what_was_checked_is_kept_as_it_is(self, bench: Bench, monkeypatch: Any) -> None:
        asking(bench)

        def fail(*_: object) -> None:
            raise AssertionError("checked twice")

        def meanwhile() -> None:
            monkeypatch.setattr(label_import, "check", fail)

        assert self.keep(bench, {0: 1, 1: 1}, meanwhile).new == 2

    def test_labels_that_came_meanwhile_are_seen(self, bench: Bench) -> None:
        asking(bench)
        done = self.keep(bench, {0: 1, 1: 1}, lambda: bench.bring({0: 1, 1: 0}))
        assert (done.new, done.corrected, done.unchanged) == (0, 1, 1)

    def test_classes_that_changed_meanwhile_refuse_it(self, bench: Bench) -> None:
        asking(bench, classes=["cat", "dog"])
        with refused("invalid"):
            self.keep(bench, {0: "cat"}, lambda: update(bench, classes=["red", "blue"]))
        assert bench.loop(0).returned == 0

    def test_a_batch_that_was_chosen_anew_meanwhile_is_seen(self, bench: Bench) -> None:
        asking(bench)

        def meanwhile() -> None:
            bench.bring({0: None})
            bench.rewind()
            bench.settle()

        assert self.keep(bench, {0: 1}, meanwhile).unasked == 1
