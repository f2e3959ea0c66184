"""The settings of an experiment: what they say about each loop."""

import pytest
from pydantic import ValidationError

from alectio_agent.wire.claims import Output, Task
from alectio_agent.wire.experiment import DEFAULT_OUTPUT, METRIC_NAMES, ExperimentSettings, Target
from alectio_agent.wire.selection import SCORE_FREE_STRATEGIES, STRATEGY_NAMES

SMALLEST = {"name": "digits", "classes": 10, "batch": 30, "loops": 10}


def settings(**changes):
    return ExperimentSettings.model_validate({**SMALLEST, **changes})


def parts(strategy):
    return [(part.name, part.share) for part in strategy]


def test_the_smallest_experiment_gets_every_default():
    found = settings()
    assert found.task == "classification"
    assert found.output_kind == "logits"
    assert parts(found.strategy) == [("diverse_margin", 0.9), ("random", 0.1)]
    assert (found.initial.strategy, found.initial.size) == ("random", None)
    assert (found.pipeline, found.pool, found.seed, found.schedule) == (None, None, 0, [])
    assert (found.tie_break, found.dedup, found.subsample) == ("seeded", "exact", None)
    assert (found.labels.kind, found.control, found.tags) == ("known", "none", [])
    assert (found.stop.max_labels, found.stop.target) == (None, None)
    assert (found.retries, found.affinity, found.affinity_timeout) == (2, "prefer", 3600)
    assert found.takeover_after is None


def test_settings_survive_the_wire():
    """The hub keeps them as JSON, and compares what comes again with what it has."""
    found = settings(
        strategy=["margin"], takeover_after="2h", batch={"start": 5, "growth": 2, "max": 9},
        classes=["a", "b"], stop={"target": {"metric": "accuracy", "value": 0.9}},
    )  # fmt: skip
    assert ExperimentSettings.model_validate_json(found.model_dump_json()) == found
    assert ExperimentSettings.model_validate(found.model_dump(mode="json")) == found


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("margin", [("margin", 1.0)]),
        (["margin"], [("margin", 1.0)]),
        ({"name": "entropy"}, [("entropy", 1.0)]),
        ([{"name": "margin", "share": 0.5}, {"name": "random", "share": 0.5}],
         [("margin", 0.5), ("random", 0.5)]),
        ([{"name": "margin", "share": 0.7}, {"name": "ratio", "share": 0.2},
          {"name": "random", "share": 0.1}], [("margin", 0.7), ("ratio", 0.2), ("random", 0.1)]),
    ],
)  # fmt: skip
def test_a_strategy_is_a_name_a_part_or_parts(strategy, expected):
    assert parts(settings(strategy=strategy).strategy) == expected


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.9, 0.2), (1.0, 1.0), (1.0, 0.0), (1.2, -0.2)])
def test_shares_must_be_above_zero_and_sum_to_one(shares):
    with pytest.raises(ValidationError):
        settings(strategy=[{"name": "margin", "share": share} for share in shares])


def test_shares_may_miss_one_by_a_rounding_error():
    third = 0.333333333
    parts_of_thirds = [{"name": name, "share": third} for name in ("margin", "ratio")]
    settings(strategy=[*parts_of_thirds, {"name": "random", "share": 1 - 2 * third}])


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_every_strategy_can_be_asked_for(name):
    assert settings(strategy=name).strategy[0].name == name


def test_one_batch_holds_for_all_loops():
    assert [settings().batch_of(loop) for loop in (0, 1, 9)] == [30, 30, 30]


def test_a_list_gives_each_loops_batch_and_its_last_value_the_rest():
    found = settings(batch=[100, 50, 25])
    assert [found.batch_of(loop) for loop in range(5)] == [100, 50, 25, 25, 25]


def test_growing_batches_are_rounded_and_capped():
    found = settings(batch={"start": 100, "growth": 1.5, "max": 400})
    # 100, 150, 225, 337.5 (rounded to even), 506.25 (capped)
    assert [found.batch_of(loop) for loop in range(6)] == [100, 150, 225, 338, 400, 400]


def test_batches_that_grow_for_ever_stay_at_their_cap():
    """1.5 to the power of 10,000 is no float any more."""
    found = settings(batch={"start": 100, "growth": 1.5, "max": 400}, loops=10_001)
    assert found.batch_of(10_000) == 400


def test_a_growth_without_end_is_refused():
    with pytest.raises(ValidationError):
        settings(batch={"start": 1, "growth": float("inf"), "max": 4})


def test_loop_0_may_have_a_size_of_its_own():
    found = settings(initial={"size": 7})
    assert [found.batch_of(loop) for loop in (0, 1)] == [7, 30]


def test_the_schedule_takes_over_once_so_many_are_labelled():
    found = settings(
        strategy="random",
        schedule=[
            {"from_labels": 500, "strategy": "entropy"},
            {"from_labels": 100, "strategy": "margin"},
        ],
    )
    names = {
        labelled: found.strategy_at(labelled)[0].name for labelled in (0, 99, 100, 499, 500, 9999)
    }
    assert names == {
        0: "random", 99: "random", 100: "margin", 499: "margin", 500: "entropy", 9999: "entropy",
    }  # fmt: skip


def test_a_control_is_the_same_with_random_choice():
    found = settings(
        strategy="margin",
        control="replay",
        seed=4,
        schedule=[{"from_labels": 5, "strategy": "ratio"}],
    )
    control = found.as_control()
    assert control.name == "digits-control"
    assert parts(control.strategy) == [("random", 1.0)]
    assert control.strategy_at(10**6) == control.strategy
    assert control.control == "none"
    same = {"name", "strategy", "schedule", "control"}
    assert control.model_dump(exclude=same) == found.model_dump(exclude=same)


def test_a_controls_settings_are_themselves_right():
    """They are sent and stored like any others, so they must pass the same rules."""
    control = settings(name="x" * 56, control="replay").as_control()
    assert len(control.name) == 64
    assert ExperimentSettings.model_validate(control.model_dump()) == control


@pytest.mark.parametrize("name", ["digits-control", "x" * 57])
def test_a_control_needs_a_name_of_its_own(name):
    with pytest.raises(ValidationError):
        settings(name=name, control="replay")
    assert settings(name=name).name == name


def test_classes_are_names_or_a_count():
    assert (settings(classes=3).class_count, settings(classes=3).class_names) == (3, None)
    named = settings(classes=["cat", "dog"])
    assert (named.class_count, named.class_names) == (2, ["cat", "dog"])
    free = settings(classes=None, task="regression", strategy="random")
    assert (free.class_count, free.class_names) == (None, None)


@pytest.mark.parametrize("classes", [0, 1, -3, [], ["cat"], ["cat", "cat"], ["cat", " "]])
def test_fewer_than_two_distinct_classes_are_refused(classes):
    with pytest.raises(ValidationError):
        settings(classes=classes)


def test_classification_needs_classes():
    with pytest.raises(ValidationError, match="classes: missing"):
        settings(classes=None)


@pytest.mark.parametrize("output", ["multilabel_logits", "regression", "detection"])
def test_strategies_that_read_scores_need_scores(output):
    with pytest.raises(ValidationError, match="needs `output: logits`"):
        settings(output=output)
    assert settings(output=output, strategy="random").output_kind == output


def test_every_task_has_a_usual_output():
    assert set(DEFAULT_OUTPUT) == set(Task.__args__)
    assert {kind for kind in DEFAULT_OUTPUT.values() if kind} <= set(Output.__args__)


def test_names_that_are_listed_twice_agree():
    assert Target.model_fields["metric"].annotation.__args__ == METRIC_NAMES
    assert set(SCORE_FREE_STRATEGIES) <= set(STRATEGY_NAMES)


@pytest.mark.parametrize(
    ("written", "seconds"), [("auto", None), ("2h", 7200), (None, None), (90, 90)]
)
def test_takeover_is_automatic_or_a_duration(written, seconds):
    assert settings(takeover_after=written).takeover_after == seconds


def test_growth_must_end_above_its_start():
    assert settings(batch={"start": 5, "growth": 2, "max": 5}).batch_of(3) == 5
    with pytest.raises(
        ValidationError, match="max: found 4, expected at least `start`, which is 5"
    ):
        settings(batch={"start": 5, "growth": 2, "max": 4})


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        settings().batch = 5


@pytest.mark.parametrize(
    ("share", "batch", "needed"),
    [(1, 30, 30), (0.9, 10, 9), (0.07, 100, 7), (0.5, 3, 2), (0.01, 5, 1), (1, 1, 1)],
)
def test_a_share_of_a_batch_is_rounded_up(share: float, batch: int, needed: int) -> None:
    assert settings(labels={"kind": "csv", "min_returned": share}).labels.needed_of(batch) == needed


def test_people_may_be_asked_for_labels():
    found = settings(labels={"kind": "csv", "timeout": "2d"})
    assert (found.labels.are_asked_for, found.labels.timeout) == (True, 172800)
    assert ExperimentSettings.model_validate_json(found.model_dump_json()) == found
    assert not settings().labels.are_asked_for
