"""A comparison on the screen."""

from typing import Any

import pytest

from alectio_agent.cli.comparison import compare_loops
from alectio_agent.cli.comparison_text import print_comparison
from tests.support.histories import make_attempt, make_history, make_loop, make_provenance


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    def lines(classes: Any = 2, **after: Any) -> list[str]:
        history = make_history(make_loop(0), make_loop(1, **after), classes=classes)
        print_comparison(compare_loops(history, 0, 1))
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return lines


def test_only_what_differs_is_printed_and_the_rest_named(printed: Any) -> None:
    assert printed(hyperparams={"epochs": 5}) == [
        "toy: loop 0 against loop 1",
        "samples labels 2 -> 4 (+2)",
        "added 2: 2, 3",
        "hyperparams epochs 3 -> 5 (+2)",
        "the same: metrics, classes, args, code, packages, training, strategy, warnings, seconds",
    ]


def test_every_section_has_its_lines(printed: Any) -> None:
    code = {"digest": "e" * 64, "files": {"net.py": "f" * 12}, "git_commit": None, "is_dirty": True}
    interpreter = {"version": "3.12.1", "packages": {"torch": "2.2", "rich": "13"}}
    made_of = make_provenance(code=code, interpreter=interpreter, args={"lr": 1e-5})
    text = "\n".join(
        printed(
            classes=["cat", "dog"],
            metrics={"accuracy": 0.25},
            per_class={"f1": [0.5, 0.5], "support": [10, 6]},
            provenance=made_of,
            attempts=[make_attempt(resume_from=None)],
            chosen_by="random",
            warnings={"test": ["\x1b[31mred"]},
            times={"seconds": {"train": 95}},
        )
    )
    for line in (
        "metrics accuracy 0.500 -> 0.250 (-0.250)",
        "classes dog f1 0.250 -> 0.500 (+0.250)",
        "args deep.on true -> none",
        "lr 0.100 -> 1e-05",
        "code git commit cccccccccccc -> none",
        "uncommitted no -> yes",
        "digest dddddddddddd -> eeeeeeeeeeee",
        "net.py changed",
        "processes.py removed",
        "packages python implementation cpython -> none",
        "python version 3.11.2 -> 3.12.1",
        "torch 2.1 -> 2.2",
        "rich added: 13",
        "numpy removed: 1.26",
        "training began from toy-ckpt-before -> nothing",
        "strategy chosen by margin -> random",
        r"warnings new test: \x1b[31mred",
        "gone test: few rows",
        "seconds train 1.50 s -> 1 min 35 s",
    ):
        assert line in text


def test_hidden_args_are_told_as_changed(capsys: pytest.CaptureFixture[str]) -> None:
    history = [
        make_loop(loop, provenance=make_provenance(args=None, args_digest=str(loop) * 64))
        for loop in range(2)
    ]
    print_comparison(compare_loops(make_history(*history), 0, 1))
    assert "changed, not shared" in capsys.readouterr().out


def test_of_many_classes_those_that_moved_most_come_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loops = [
        make_loop(0, per_class={"f1": [0.0] * 20}),
        make_loop(1, per_class={"f1": [at / 100 for at in range(20)]}),
    ]
    print_comparison(compare_loops(make_history(*loops, classes=20), 0, 1))
    lines = [line for line in capsys.readouterr().out.splitlines() if "class " in line]
    assert len(lines) == 12
    assert "class 19 f1" in lines[0]
    assert "class 8 f1" in lines[-1]


def test_an_option_of_a_strategy_that_keeps_its_name_is_told(printed: Any) -> None:
    settings = {"batch": 2, "strategy": [{"name": "margin", "share": 1.0, "k": 3}]}
    (line,) = (line for line in printed(selection={"settings": settings}) if "strategy" in line[:8])
    assert '"k": 3' in line
