"""What changed between two loops."""

from typing import Any

import pytest

from alectio_agent.cli.comparison import compare_loops
from alectio_agent.core.errors import UsageError
from alectio_agent.report.changes import differing, sorted_out
from tests.support.histories import make_attempt, make_history, make_loop, make_provenance


def compare(before: dict[str, Any], after: dict[str, Any], **of: Any) -> dict[str, Any]:
    """What differs between loop 0 and loop 1 with these members."""
    history = make_history(make_loop(0, **before), make_loop(1, **after), **of)
    return compare_loops(history, 0, 1)


def changed(section: str, before: dict[str, Any], after: dict[str, Any], **of: Any) -> Any:
    return compare(before, after, **of)["changed"].get(section)


def made_of(**members: Any) -> dict[str, Any]:
    return {"provenance": make_provenance(**members)}


class TestValues:
    def test_places_inside_are_named_and_lists_compared_whole(self) -> None:
        old = {"a": {"b": 1, "c": [1, 2]}, "same": {"x": 1}}
        new = {"a": {"b": 3, "c": [1]}, "same": {"x": 1}}
        assert differing(old, new) == {
            "a.b": {"old": 1, "new": 3, "difference": 2},
            "a.c": {"old": [1, 2], "new": [1]},
        }

    def test_what_came_or_went_has_none_at_the_other_end(self) -> None:
        assert differing({"a": "x"}, {"b": True}) == {
            "a": {"old": "x", "new": None},
            "b": {"old": None, "new": True},
        }

    def test_true_and_false_have_no_difference_in_numbers(self) -> None:
        assert differing({"a": True}, {"a": False}) == {"a": {"old": True, "new": False}}

    def test_nothing_and_nothing_are_the_same(self) -> None:
        assert differing(None, None) == {}
        assert differing(None, {}) == {}

    def test_a_value_that_is_no_dict_is_compared_as_one(self) -> None:
        assert differing("a", "b") == {"value": {"old": "a", "new": "b"}}

    def test_names_are_sorted_out(self) -> None:
        assert sorted_out({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == {
            "changed": {"b": {"old": "1", "new": "2"}},
            "added": {"c": "1"},
            "removed": {"a": "1"},
        }


def test_loops_that_are_alike_are_the_same_in_everything_but_their_samples() -> None:
    found = compare({}, {})
    assert found["changed"] == {}
    assert found["unknown"] == []
    assert found["same"] == [
        "metrics", "classes", "args", "hyperparams", "code", "packages", "training", "strategy",
        "warnings", "seconds",
    ]  # fmt: skip
    assert found["samples"] == {
        "labels": {"old": 2, "new": 4, "difference": 2}, "added": [2, 3], "removed": [],
    }  # fmt: skip


def test_labels_by_people_are_compared_as_each_loop_had_them() -> None:
    """A sample may be chosen and have no label, and a label may be corrected."""
    said = [[[0, "a"], [1, "b"]], [[1, "c"], [2, "a"]], [[0, None], [3, "b"]]]
    loops = [make_loop(at, label_changes=changes) for at, changes in enumerate(said)]
    found = compare_loops(make_history(*loops), 0, 2)["samples"]
    assert (found["added"], found["removed"], found["relabelled"]) == ([2, 3], [0], [1])


def test_samples_of_all_loops_between_are_added() -> None:
    history = make_history(*(make_loop(loop) for loop in range(4)))
    assert compare_loops(history, 0, 3)["samples"]["added"] == [2, 3, 4, 5, 6, 7]
    assert compare_loops(history, 3, 1)["samples"]["removed"] == [4, 5, 6, 7]


def test_metrics_have_their_difference() -> None:
    found = changed("metrics", {"metrics": {"accuracy": 0.5}}, {"metrics": {"accuracy": 0.75}})
    assert found == {"accuracy": {"old": 0.5, "new": 0.75, "difference": 0.25}}


def test_metrics_that_are_still_being_computed_are_not_known() -> None:
    assert "metrics" in compare({"metrics": None}, {})["unknown"]


def test_only_classes_that_moved_are_told_by_name() -> None:
    after = {"per_class": {"f1": [0.5, 0.75], "support": [10, 7]}}
    assert changed("classes", {}, after, classes=["cat", "dog"]) == {
        "dog": {
            "f1": {"old": 0.25, "new": 0.75, "difference": 0.5},
            "support": {"old": 6, "new": 7, "difference": 1},
        }
    }


def test_classes_without_names_have_their_numbers() -> None:
    after = {"per_class": {"f1": [0.25, 0.25], "support": [10, 6]}}
    assert list(changed("classes", {}, after)) == ["0"]


def test_tasks_without_classes_tell_nothing_of_them() -> None:
    assert "classes" in compare({"per_class": {}}, {"per_class": {}})["unknown"]


def test_changed_args_are_told_by_their_keys() -> None:
    after = made_of(args={"lr": 0.2, "deep": {"on": True}}, args_digest="2" * 64)
    assert list(changed("args", {}, after)) == ["lr"]


def test_of_args_that_stayed_at_the_site_only_that_they_changed_is_told() -> None:
    before, after = made_of(args=None), made_of(args=None, args_digest="2" * 64)
    assert changed("args", before, after) == {"is_hidden": True}
    assert "args" in compare(before, before)["same"]


def test_changed_code_is_told_by_file_and_commit() -> None:
    code = {
        "digest": "e" * 64,
        "files": {"processes.py": "cccccccccccc", "late.py": "dddddddddddd"},
        "git_commit": "f" * 40,
        "is_dirty": True,
    }
    assert changed("code", {}, made_of(code=code)) == {
        "git_commit": {"old": "c" * 40, "new": "f" * 40},
        "is_dirty": {"old": False, "new": True},
        "digest": {"old": "d" * 64, "new": "e" * 64},
        "files": {"changed": ["processes.py"], "added": ["late.py"], "removed": ["net.py"]},
    }


def test_code_whose_files_stayed_at_the_site_is_told_by_its_digest() -> None:
    code = {"digest": "e" * 64, "files": {}, "git_commit": None, "is_dirty": None}
    elsewhere = {**code, "digest": "f" * 64}
    assert changed("code", made_of(code=code), made_of(code=elsewhere)) == {
        "digest": {"old": "e" * 64, "new": "f" * 64}
    }


def test_packages_and_python_are_told_by_version() -> None:
    interpreter = {
        "version": "3.12.1",
        "implementation": "cpython",
        "path": "/usr/bin/python3",
        "packages": {"torch": "2.2", "rich": "13"},
    }
    assert changed("packages", {}, made_of(interpreter=interpreter)) == {
        "python": {"version": {"old": "3.11.2", "new": "3.12.1"}},
        "changed": {"torch": {"old": "2.1", "new": "2.2"}},
        "added": {"rich": "13"},
        "removed": {"numpy": "1.26"},
    }


def test_what_one_loop_does_not_tell_is_not_known() -> None:
    """It was run by an agent of an older version."""
    assert compare({"provenance": None}, {})["unknown"] == ["args", "code", "packages"]


def test_where_training_began_is_that_of_the_attempt_that_counts() -> None:
    lost = make_attempt(counted=[], agent="gpu02")
    fresh = make_attempt(attempt=2, resume_from=None)
    found = changed("training", {}, {"attempts": [lost, fresh]})
    assert found == {
        "attempt": {"old": 1, "new": 2, "difference": 1},
        "is_fresh": {"old": False, "new": True},
        "resume_from": {"old": "toy-ckpt-before", "new": None},
    }


def test_another_agent_and_another_strategy_are_told() -> None:
    after = {
        "attempts": [make_attempt(agent="gpu02")],
        "chosen_by": "random",
        "selection": {"settings": {"batch": 3, "strategy": [{"name": "random", "share": 1.0}]}},
    }
    assert changed("training", {}, after) == {"agent": {"old": "gpu01", "new": "gpu02"}}
    assert list(changed("strategy", {}, after)) == ["batch", "chosen_by", "strategy"]


def test_new_and_gone_warnings_are_told_with_their_step() -> None:
    after = {"warnings": {"train": ["NaN"], "test": []}}
    assert changed("warnings", {}, after) == {
        "added": ["train: NaN"], "removed": ["test: few rows"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("loops", "told"),
    [
        ((0, 7), r"toy/7: there is no such loop; loops 0 to 1 can be compared"),
        ((2, 0), r"toy/2: its test is not done \(running\); loops 0 to 1 can be compared"),
    ],
)
def test_a_loop_without_a_test_cannot_be_compared(loops: tuple[int, int], told: str) -> None:
    running = make_loop(2, state="running", rows={"train": 0})
    with pytest.raises(UsageError, match=told) as refused:
        compare_loops(make_history(make_loop(0), make_loop(1), running), *loops)
    assert refused.value.code == "E-EXP-07"


def test_an_experiment_that_has_just_begun_has_nothing_to_compare() -> None:
    with pytest.raises(UsageError, match="none is done yet"):
        compare_loops(make_history(), 0, 1)
