"""Experiments on the screen: 80 columns, with what a person should know below the table."""

import io
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alectio_agent.cli import experiment_show
from alectio_agent.cli.experiment_list import _print
from alectio_agent.cli.experiment_table import newest_warnings, print_experiment, problems
from alectio_agent.cli.main import main
from alectio_agent.wire.operation import ExperimentView
from tests.support.hub_fakes import make_view

MIX = "diverse_margin 90 %, random 10 %"


def make_loops(*loops: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "loop": at, "state": "done", "labels": 100 * (at + 1), "chosen_by": MIX,
            "metrics": {"accuracy": 0.712, "macro_f1": 0.688}, "seconds": {"train": 115}, **changed,
        }
        for at, changed in enumerate(loops)
    ]  # fmt: skip


class OneView:
    """A hub that has one experiment."""

    def __init__(self, view: ExperimentView) -> None:
        self.view = view

    def experiment(self, _name: str) -> ExperimentView:
        return self.view


@pytest.mark.parametrize(
    ("hub", "is_here", "results"),
    [
        (["--hub", "https://hub"], False, "alectio-agent experiment export digits"),
        (["--hub", "https://hub"], True, "FOLDER"),
        ([], False, "FOLDER"),
    ],
)
def test_a_folder_of_another_machine_is_not_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hub: list[str], is_here: bool, results: str
) -> None:
    folder = tmp_path / "digits"
    if is_here:
        folder.mkdir()
    operator = OneView(make_view(results=str(folder)))
    monkeypatch.setattr(experiment_show, "named_hub", lambda *_, **__: nullcontext(operator))
    shown = CliRunner().invoke(main, ["experiment", "show", "digits", *hub]).stdout
    assert f"results: {results.replace('FOLDER', str(folder))}\n" in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What a function prints on a terminal of 80 columns, line by line."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")

    def lines(prints: Callable[..., None], *words: Any) -> list[str]:
        with redirect_stdout(Terminal()) as terminal:
            prints(*words)
        return [line.rstrip() for line in terminal.getvalue().splitlines()]

    return lines


def test_a_table_with_a_control_fits_80_columns_with_each_loop_on_a_line(
    shown: Callable[..., list[str]],
) -> None:
    view = make_view(loops=make_loops({}, {}), control="digits-control")
    control = make_view(name="digits-control", loops=make_loops({}, {}))
    assert shown(print_experiment, view, control) == [
        "digits: running",
        "loop  labels  accuracy  macro_f1  control  chosen by",
        f"   0     100     0.712     0.688    0.712  {MIX}",
        f"   1     200     0.712     0.688    0.712  {MIX}",
    ]


def test_without_a_control_the_seconds_of_train_have_room(shown: Callable[..., list[str]]) -> None:
    lines = shown(print_experiment, make_view(loops=make_loops({})))
    assert f"   0     100     0.712     0.688  1 min 55 s  {MIX}" in lines


def test_a_list_fits_80_columns_and_tells_reasons_below(shown: Callable[..., list[str]]) -> None:
    waiting = {"state": "waiting", "reason": "digits/3: test: ValueError: no file\nMore"}
    lines = shown(_print, [make_view(**waiting), make_view(name="digits-control")])
    assert [line.split() for line in lines[:3]] == [
        ["name", "state", "loops", "pipeline", "created"],
        ["digits", "waiting", "10", "the", "only", "one", "2026-01-01", "00:00"],
        ["digits-control", "running", "10", "the", "only", "one", "2026-01-01", "00:00"],
    ]
    assert lines[3] == "digits: waiting: digits/3: test: ValueError: no file"
    assert all(len(line) <= 80 for line in lines)


def test_a_long_name_is_folded_not_cut(shown: Callable[..., list[str]]) -> None:
    text = "".join(shown(_print, [make_view(name="X" * 64)]))
    assert text.count("X") == 64


def warned(*warnings: list[str]) -> ExperimentView:
    return make_view(loops=make_loops(*({"warnings": texts} for texts in warnings)))


def test_a_warning_stands_once_with_its_newest_loop() -> None:
    view = warned(["infer: sums to 1"], ["train: NaN"], ["infer: sums to 1"], ["infer: sums to 1"])
    assert newest_warnings(view) == [
        "! digits/1: train: NaN",
        "! digits/3: infer: sums to 1 (also in 2 earlier loops)",
    ]


def test_only_the_last_warnings_are_shown_and_the_rest_counted() -> None:
    lines = newest_warnings(warned(*([f"test: {at}"] for at in range(7))))
    assert lines[0] == "! 2 earlier: alectio-agent experiment show digits --json"
    assert lines[1:] == [f"! digits/{at}: test: {at}" for at in range(2, 7)]


def test_problems_stand_below_with_their_loop(shown: Callable[..., list[str]]) -> None:
    loops = make_loops(
        {"state": "waiting", "problem": "test: \x1b[2J bad\nMend it", "metrics": None}
    )
    view = make_view(state="waiting", reason="the same", loops=loops)
    assert problems(view) == [r"digits/0: test: \x1b[2J bad", "Mend it"]
    assert shown(print_experiment, view)[0] == "digits: waiting"
