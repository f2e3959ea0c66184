"""What each part of a report tells, for experiments that tell everything."""

import math
from typing import Any

import pytest
from markupsafe import Markup

from alectio_agent.report.balance import entropy_of, find_balance
from alectio_agent.report.calibration import find_calibration
from alectio_agent.report.choice import find_choice, why
from alectio_agent.report.class_scores import find_class_scores
from alectio_agent.report.confusion import find_confusion
from alectio_agent.report.curves import find_curves, spread_of
from alectio_agent.report.loop_steps import find_steps, restless_names
from alectio_agent.report.loop_table import find_loop_table
from alectio_agent.report.notices import find_notices
from alectio_agent.report.reading import Point
from alectio_agent.report.savings import find_savings
from alectio_agent.report.siblings import Run, sibling_names
from alectio_agent.report.times import find_saved_time, find_times
from alectio_agent.report.words import MINUS
from tests.support.documents import make_document
from tests.support.histories import make_attempt, make_provenance


def plain(cell: Any) -> str:
    return Markup(cell).striptags()


def with_scores(*points: tuple[int, float]) -> dict[str, Any]:
    loops = [
        {"loop": loop, "labels": labels, "metrics": {"accuracy": value},
         "times": {"seconds": {"train": 10.0, "test": 2.0}}}
        for loop, (labels, value) in enumerate(points)
    ]  # fmt: skip
    return {"name": "toy", "loops": loops}


class TestCurves:
    def test_the_band_lies_between_the_lowest_and_the_highest_of_all_seeds(self) -> None:
        runs = [
            with_scores((10, 0.2), (20, 0.6)),
            with_scores((10, 0.4), (20, 0.9)),
            with_scores((10, 0.3)),
        ]
        found = spread_of(runs, "accuracy")
        assert found is not None
        assert found.low == [Point(10, 0.2, 0), Point(20, 0.6, 0)]
        assert found.high == [Point(10, 0.4, 0), Point(20, 0.9, 0)]
        assert found.mean == [Point(10, 0.3, 0), Point(20, 0.75, 0)]

    def test_runs_that_share_no_number_of_labels_have_no_band(self) -> None:
        assert spread_of([with_scores((10, 0.2)), with_scores((11, 0.2))], "accuracy") is None

    def test_each_metric_has_a_curve_with_the_control_dashed_beside_it(self) -> None:
        curves = find_curves(make_document(), make_document("toy-control", slope=0.5), ())
        assert [curve.title for curve in curves] == ["accuracy", "macro F1", "precision", "recall"]
        control, ours = curves[0].figure.data
        assert (control["line"]["dash"], ours["line"]["dash"]) == ("dash", "solid")
        assert ours["x"] == [20, 40, 60, 80, 100]

    def test_one_value_stands_on_an_axis_of_its_own_size(self) -> None:
        """Left alone it would go from -0.5 to 1.5, where no accuracy can be."""
        (curve,) = find_curves(with_scores((10, 0.6)), None, ())
        assert curve.figure.layout["yaxis"]["range"] == pytest.approx([0.55, 0.65])
        (curve,) = find_curves(with_scores((10, 0.6), (20, 0.7)), None, ())
        assert "range" not in curve.figure.layout["yaxis"]

    def test_loops_without_a_finite_score_are_left_out(self) -> None:
        (curve,) = find_curves(with_scores((10, 0.2), (20, math.nan), (30, 0.4)), None, ())
        assert curve.figure.data[0]["x"] == [10, 30]


class TestBalance:
    def test_entropy_of_even_classes_is_the_logarithm_of_their_number(self) -> None:
        assert entropy_of([5, 5, 5, 5]) == 2.0
        assert entropy_of([8, 0]) == 0.0
        assert entropy_of([]) == 0.0
        # -(3/4) log2(3/4) - (1/4) log2(1/4)
        assert entropy_of([3, 1]) == pytest.approx(0.8112781)

    def test_the_rarest_class_and_the_shares_are_told(self) -> None:
        document = make_document(classes=2, loops=1)
        document["loops"][0]["class_counts"] = {"labelled": [15, 5], "predicted": [100, 300]}
        document["loops"][0]["per_class"]["support"] = [1, 1]
        found = find_balance(document)
        assert found is not None
        assert (found.rarest, found.rarest_count) == ("class 1", 5)
        assert [plain(cell) for cell in found.table.rows[0]] == [
            "class 0", "15", "75.0 %", "100", "25.0 %", "1", "50.0 %",
        ]  # fmt: skip

    def test_labels_that_stayed_at_the_site_are_not_known(self) -> None:
        document = make_document()
        for loop in document["loops"]:
            loop["class_counts"] = {"labelled": None, "predicted": None}
        assert find_balance(document) is None

    def test_one_class_so_far_has_no_entropy(self) -> None:
        document = make_document(classes=3, loops=1)
        document["loops"][0]["class_counts"]["labelled"] = [0, 20, 0]
        found = find_balance(document)
        assert found is not None
        assert (found.entropy, found.without) == (0.0, 2)

    def test_the_loop_whose_model_predicted_is_told(self) -> None:
        """The last loop chooses nothing: what is known of the pool is of the one before."""
        document = make_document(loops=3)
        document["loops"][2]["class_counts"]["predicted"] = None
        found = find_balance(document)
        assert found is not None
        assert (found.loop, found.predicted_loop) == (2, 1)
        document["loops"][0]["class_counts"]["predicted"] = None
        document["loops"][1]["class_counts"]["predicted"] = None
        found = find_balance(document)
        assert found is not None
        assert found.predicted_loop is None


class TestConfusion:
    def test_shades_are_shares_of_the_row(self) -> None:
        document = make_document(classes=2)
        document["loops"][-1]["confusion"] = [[9, 1], [0, 0]]
        found = find_confusion(document)
        assert found is not None
        assert [[cell.shade for cell in row] for row in found.squares] == [[9, 1], [0, 0]]
        assert (found.right, found.whole) == (9, 10)

    def test_of_a_thousand_classes_the_largest_confusions_are_listed(self) -> None:
        document = make_document(classes=1000, loops=1)
        found = find_confusion(document)
        assert found is not None
        assert not found.squares
        assert len(found.pairs.rows) == 30
        assert "970 rarer" in found.pairs.more

    def test_a_matrix_that_is_none_is_not_shown(self) -> None:
        document = make_document()
        document["loops"][-1]["confusion"] = [[1, 2], [3]]
        assert find_confusion(document) is None

    def test_scores_per_class_have_their_change_since_the_judged_loop_before(self) -> None:
        document = make_document(classes=2, loops=3)
        document["loops"][1]["per_class"] = None
        document["loops"][0]["per_class"] = {"f1": [0.5, 0.5]}
        document["loops"][2]["per_class"] = {"f1": [0.75, 0.25], "support": [3, 4]}
        found = find_class_scores(document)
        assert found is not None
        assert (found.loop, found.before) == (2, 0)
        assert [plain(cell) for cell in found.table.rows[1]][-3:] == ["0.250", f"{MINUS}0.250", "4"]


class TestCalibration:
    def test_bins_without_samples_are_not_drawn(self) -> None:
        found = find_calibration(make_document())
        assert found is not None
        assert len(found.figure.data[1]["x"]) == 9
        assert len(found.table.rows) == 10

    @pytest.mark.parametrize(("error", "is_rough"), [(0.1, False), (0.11, True), (None, False)])
    def test_above_a_tenth_scores_are_rough(self, error: float | None, is_rough: bool) -> None:
        document = make_document()
        document["loops"][-1]["calibration"]["ece"] = error
        found = find_calibration(document)
        assert found is not None
        assert found.is_rough is is_rough

    @pytest.mark.parametrize(
        ("strategy", "schedule", "is_rough"),
        [
            ("random", [], False),
            ("margin", [], True),
            ("random", [{"from_labels": 9, "strategy": [{"name": "margin"}]}], True),
        ],
    )
    def test_scores_that_choose_nothing_are_not_called_rough(
        self, strategy: str, schedule: list[Any], is_rough: bool
    ) -> None:
        """A control chooses by chance."""
        document = make_document()
        document["loops"][-1]["calibration"]["ece"] = 0.2
        document["settings"] |= {"strategy": [{"name": strategy}], "schedule": schedule}
        found = find_calibration(document)
        assert found is not None
        assert found.is_rough is is_rough


class TestChoice:
    @pytest.mark.parametrize(
        ("reason", "score", "told"),
        [
            ("margin", 0.98, "margin 0.02 between billing and refund"),
            ("diverse_margin", 0.98, "diverse_margin: margin 0.02 between billing and refund"),
            ("entropy", 0.69, "entropy 0.69 between billing and refund"),
            ("random", None, "random"),
        ],
    )
    def test_the_reason_is_a_sentence(self, reason: str, score: float | None, told: str) -> None:
        assert plain(why(reason, score, [0, 1], ["billing", "refund"])) == told

    def test_the_largest_scores_come_first_and_chance_last(self) -> None:
        document = make_document(loops=2, batch=3)
        document["loops"][1]["selection"]["scores"] = [0.2, None, 0.9]
        found = find_choice(document)
        assert found is not None
        assert [plain(row[0]) for row in found.chosen.rows] == ["5", "3", "4"]

    def test_of_a_large_batch_the_first_fifty_are_listed(self) -> None:
        found = find_choice(make_document(loops=2, batch=200))
        assert found is not None
        assert len(found.chosen.rows) == 50
        assert "150 more" in found.chosen.more

    def test_parts_of_the_strategy_are_counted(self) -> None:
        document = make_document(loops=2, batch=3)
        document["loops"][1]["selection"]["reasons"] = ["margin", "random", "margin"]
        found = find_choice(document)
        assert found is not None
        assert found.parts == [("margin", 2), ("random", 1)]

    @pytest.mark.parametrize(
        ("strategy", "equal_rows", "passes_over"),
        [("margin", 0, False), ("margin", None, False), ("margin", 3, True),
         ("diverse_entropy", 0, True)],
    )  # fmt: skip
    def test_samples_above_the_cut_are_passed_over_by_strategies_that_spread_their_batch(
        self, strategy: str, equal_rows: int | None, passes_over: bool
    ) -> None:
        document = make_document(loops=2)
        document["loops"][1]["selection"]["histogram"]["strategy"] = strategy
        document["loops"][1]["selection"]["equal_rows"] = equal_rows
        found = find_choice(document)
        assert found is not None
        assert found.passes_over is passes_over

    def test_the_axis_of_a_margin_says_that_it_is_one_minus_it(self) -> None:
        document = make_document(loops=2)
        document["loops"][1]["selection"]["histogram"] |= {
            "strategy": "margin",
            "measure": "margin",
        }
        found = find_choice(document)
        assert found is not None
        assert found.histogram is not None
        assert "margin (higher: less sure)" in found.histogram.layout["xaxis"]["title"]["text"]

    def test_scores_stand_beside_reasons_and_chance_has_none(self) -> None:
        document = make_document(loops=2, batch=2)
        document["loops"][1]["selection"]["scores"] = [0.25, None]
        found = find_choice(document)
        assert found is not None
        assert found.chosen.heads[1] == "score"
        assert [plain(row[1]) for row in found.chosen.rows] == ["0.250", "none"]

    def test_a_selection_without_details_is_told_by_its_samples(self) -> None:
        found = find_choice({"loops": [{"loop": 0, "selected": [4, 7]}]})
        assert found is not None
        assert (found.batch, found.histogram, found.near) == (2, None, None)


class TestTimes:
    def test_saved_time_is_that_of_the_hooks_until_the_same_score(self) -> None:
        ours = with_scores((10, 0.5), (20, 0.8), (30, 0.9))
        control = with_scores((10, 0.5), (20, 0.6), (30, 0.7), (40, 0.8))
        (saving,) = find_savings(ours, control).found
        found = find_saved_time(ours, control, saving)
        assert found is not None
        # 0.8: two loops of 12 s against four.
        assert (found.ours, found.control, found.seconds) == (24.0, 48.0, 24.0)

    def test_times_that_are_not_known_save_nothing(self) -> None:
        ours, control = with_scores((10, 0.5), (20, 0.8)), with_scores((10, 0.5), (20, 0.8))
        (saving,) = find_savings(ours, control).found
        control["loops"][0]["times"] = None
        assert find_saved_time(ours, control, saving) is None

    def test_what_lies_between_hooks_is_the_rest_of_the_wall_clock(self) -> None:
        found = find_times(make_document(loops=2))
        # Loop 0: 40 min since creation less 135 s; loop 1: an hour less 145 s.
        assert [plain(row[-1]) for row in found.table.rows] == ["37 min 45 s", "57 min 35 s"]

    def test_time_left_is_the_mean_of_the_last_loops_for_each_that_is_left(self) -> None:
        document = make_document(loops=4, state="running")
        document["settings"]["loops"] = 6
        # The last three take 145, 155 and 165 s.
        assert find_times(document).left_s == pytest.approx(2 * 155)

    def test_nothing_is_left_of_what_has_ended(self) -> None:
        assert find_times(make_document()).left_s == 0


def test_warnings_that_are_repeated_stand_once_the_newest_first() -> None:
    document = make_document(loops=3)
    document["loops"][0]["warnings"] = {"train": ["old"], "test": ["often"], "infer": None}
    document["loops"][1]["warnings"] = {"test": ["often"]}
    document["loops"][2]["problem"] = "it broke"
    found = [(notice.text, notice.shown_loops) for notice in find_notices(document)]
    assert found == [("it broke", "2"), ("often", "1, 0"), ("old", "0")]


class TestSteps:
    def test_loops_that_changed_nothing_are_left_out(self) -> None:
        assert find_steps(make_document()) == []

    def test_code_settings_and_hyperparameters_are_told_newest_first(self) -> None:
        document = make_document(loops=4)
        document["loops"][1]["hyperparams"] = {"epochs": 5}
        document["loops"][3]["provenance"] = make_provenance(
            code={"digest": "e" * 64, "files": {}, "git_commit": "f" * 40, "is_dirty": True}
        )
        found = [(step.after, [name for name, _ in step.sections]) for step in find_steps(document)]
        assert found == [(3, ["code"]), (2, ["hyperparams"]), (1, ["hyperparams"])]

    def test_a_hyperparameter_that_changes_in_every_loop_does_not_bury_the_rest(self) -> None:
        document = make_document(loops=6)
        for at, loop in enumerate(document["loops"]):
            loop["hyperparams"] = {"loss": 1 / (at + 1), "epochs": 5 if at < 3 else 9}
        assert restless_names(document) == ["loss"]
        (step,) = find_steps(document)
        assert [what for _, rows in step.sections for what, _ in rows] == ["epochs"]

    def test_another_agent_and_more_attempts_are_told(self) -> None:
        document = make_document(loops=2)
        document["loops"][1]["attempts"] = [
            make_attempt(counted=[]), make_attempt(attempt=2, agent="gpu02"),
        ]  # fmt: skip
        (step,) = find_steps(document)
        told = {what: change for _, rows in step.sections for what, change in rows}
        assert told == {"agent": "gpu01 -> gpu02", "attempt": "1 -> 2  (+1)", "attempts": "1 -> 2"}


def test_every_loop_has_its_row_with_the_controls_score_beside_it() -> None:
    document = make_document(loops=2)
    document["loops"][1] |= {"state": "running", "metrics": None, "times": {"seconds": {}}}
    control = make_document("toy-control", loops=1, slope=0.5)
    table = find_loop_table(document, control)
    assert "accuracy of random" in table.heads
    assert [plain(row[1]) for row in table.rows] == ["done", "running"]


def test_siblings_differ_in_their_seed_alone() -> None:
    runs = [
        Run("a", {"name": "a", "seed": 0, "batch": 5}, is_control=False),
        Run("b", {"name": "b", "seed": 1, "batch": 5}, is_control=False),
        Run("c", {"name": "c", "seed": 0, "batch": 5}, is_control=False),
        Run("d", {"name": "d", "seed": 2, "batch": 6}, is_control=False),
        Run("e", {"name": "e", "seed": 3, "batch": 5}, is_control=False, is_cancelled=True),
    ]
    assert sibling_names("a", runs) == ["b"]


def test_a_seed_that_was_run_again_counts_once() -> None:
    runs = [
        Run(name, {"seed": seed}, is_control=False)
        for name, seed in (("b-2", 1), ("b", 1), ("a", 0))
    ]
    assert sibling_names("a", runs) == ["b-2"]


def test_controls_are_siblings_of_controls() -> None:
    """A page that the command line makes must show the band of the hub's own."""
    runs = [
        Run(f"{name}-control" if is_control else name, {"seed": seed}, is_control)
        for seed, name in enumerate(("a", "b"))
        for is_control in (False, True)
    ]
    assert sibling_names("a-control", runs) == ["b-control"]
    assert sibling_names("a", runs) == ["b"]
