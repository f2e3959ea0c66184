"""Owed selections and metrics through the real analysis process and the real store."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.core.clock import SystemClock
from alectio_agent.hub.experiments import line_process
from alectio_agent.hub.experiments.analysis_process import (
    AnalysisEndedError,
    AnalysisError,
    AnalysisProcess,
)
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.selection_worker import SelectionWorker
from alectio_agent.hub.store.store import Store
from tests.support.benches import Bench, make_settings
from tests.support.results import make_writer


class RealBench(Bench):
    """The bench on a file, with threads and with the process."""

    def __init__(self, folder: Path, analysis: AnalysisProcess) -> None:
        self.folder = folder
        self.clock = SystemClock()  # type: ignore[assignment]
        self.store = Store(folder / "hub.db", SystemClock())  # type: ignore[assignment]
        self.analysis = analysis  # type: ignore[assignment]
        self.restart_hub()


@pytest.fixture
def analysis() -> Iterator[AnalysisProcess]:
    process = AnalysisProcess()
    yield process
    process.close()


@pytest.fixture
def real(tmp_path: Path, analysis: AnalysisProcess) -> Iterator[RealBench]:
    bench = RealBench(tmp_path, analysis)
    yield bench
    bench.store.close()


def script(*lines: str) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent("\n".join(lines)))


def run_experiment(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay", strategy=[
        {"name": "diverse_margin", "share": 0.5}, {"name": "random", "share": 0.5},
    ])  # fmt: skip
    while (claim := agent.poll()) is not None:
        agent.beat(claim)
        agent.commit(claim, "train")
        agent.commit(claim, "test", inline={"rows": [[0, [1, 1]], [1, [0, 1]]]})
        if len(claim.steps) == 3:
            agent.commit(claim, "infer")
        bench.settle()


def test_an_experiment_and_its_control_run_to_their_ends(real: RealBench) -> None:
    run_experiment(real)
    view, control = real.show(), real.show("digits-control")
    assert (view.state, control.state) == ("finished", "finished")
    assert view.loops[0].selected == control.loops[0].selected
    for shown in (view, control):
        chosen = [index for loop in shown.loops for index in loop.selected]
        assert len(set(chosen)) == len(chosen) == 12
        assert [loop.metrics["accuracy"] for loop in shown.loops if loop.metrics] == [0.5] * 3
    assert view.loops[1].chosen_by == "diverse_margin 50 %, random 50 %"


def test_the_same_seed_gives_the_same_results_files(
    tmp_path: Path, analysis: AnalysisProcess
) -> None:
    chosen = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        bench = RealBench(folder, analysis)
        run_experiment(bench)
        make_writer(bench).step()
        chosen.append([loop.selected for loop in bench.show().loops])
        assert (folder / "results" / "digits-control" / "loops.csv").exists()
        bench.store.close()
    assert chosen[0] == chosen[1]


def test_a_request_that_cannot_be_done_leaves_the_process_alive(analysis: AnalysisProcess) -> None:
    with pytest.raises(AnalysisError):
        analysis.ask({"op": "dance"})
    request = {"op": "metrics", "task": "regression", "classes": None, "class_names": None}
    result = {"media_type": "application/json", "parts": [], "inline": {"rows": []}}
    assert analysis.ask({**request, "result": result})["metrics"] == {}


def test_a_process_that_died_is_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    process = AnalysisProcess(
        script(
            "import pathlib, sys",
            f"mark = pathlib.Path({str(mark)!r})",
            "sys.stdin.readline()",
            "if not mark.exists():",
            "    mark.touch()",
            "    sys.exit(7)",
            "print('{\"indices\": []}', flush=True)",
        )
    )
    with pytest.raises(AnalysisEndedError, match="exit code 7"):
        process.ask({"op": "select"})
    assert process.ask({"op": "select"}) == {"indices": []}
    process.close()


@pytest.mark.parametrize("said", ["half a li", "[1, 2]", '{"metrics": {"accuracy": NaN}}'])
def test_an_answer_that_is_none_is_an_error(said: str) -> None:
    process = AnalysisProcess(script(f"input(); print({said!r}, flush=True)"))
    with pytest.raises((AnalysisEndedError, AnalysisError)):
        process.ask({"op": "select"})
    process.close()


def test_a_process_that_ended_between_two_requests_is_noticed() -> None:
    process = AnalysisProcess(script("input()", "print('{}', flush=True)"))
    assert process.ask({"op": "select"}) == {}
    with pytest.raises(AnalysisEndedError, match="exit code 0"):
        process.ask({"op": "select", "unlabeled": list(range(100_000))})
    process.close()


def test_a_process_that_ignores_the_end_of_its_input_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_process, "END_S", 0.2)
    lines = ("import signal", "input()", "print('{}', flush=True)", "signal.pause()")
    process = AnalysisProcess(script(*lines))
    process.ask({"op": "select"})
    process.close()


def test_a_closed_process_is_not_started_again() -> None:
    process = AnalysisProcess()
    process.close()
    with pytest.raises(AnalysisEndedError, match="it was closed"):
        process.ask({"op": "select"})
    process.close()


def test_a_restarted_hub_goes_on_from_its_file(tmp_path: Path, analysis: AnalysisProcess) -> None:
    first = RealBench(tmp_path, analysis)
    agent = first.agent()
    first.run(lambda tx: first.platform.create(tx, make_settings()))
    first.store.close()
    store = Store(tmp_path / "hub.db", SystemClock())
    platform = Platform(tmp_path / "data", tmp_path / "results", SystemClock())
    worker = SelectionWorker(store, platform, analysis)
    while worker.step() == 0.0:
        pass
    view = store.read(lambda tx: platform.show(tx, "digits")).result(10)
    assert view.loops[0].state == "available"
    assert store.read(platform.agents).result(10).agents[0].agent_id == agent.agent_id
    store.close()
