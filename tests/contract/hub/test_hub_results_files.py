"""The files of an experiment as they lie in its folder: outputs, tables, report, and when."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.results import maker as maker_module
from alectio_agent.hub.results.results_process import ResultsEndedError, ResultsError
from alectio_agent.hub.results.telling import find_siblings, read_told, told_mark
from alectio_agent.report.page import Told
from alectio_agent.wire.claims import Claim
from tests.support.analysis import ndjson_part, npz_part
from tests.support.benches import Bench, BenchAgent, refused
from tests.support.results import (
    EVERY,
    DirectMaker,
    make_writer,
    results_folder,
    shown_files,
)


@pytest.fixture
def direct(bench: Bench) -> DirectMaker:
    return DirectMaker(bench)


def unlabeled(claim: Claim) -> list[int]:
    return list(next(order for order in claim.steps if order.step == "infer").payload.unlabeled)


def commit_parts(bench: Bench, agent: BenchAgent, claim: Claim, count: int, kind: str) -> None:
    """Train and test as usual; `infer` in so many parts."""
    agent.commit(claim, "train")
    agent.commit(claim, "test")
    named = []
    for number, samples in enumerate(np.array_split(unlabeled(claim), count)):
        digest = f"{claim.loop:032x}{number:032x}"
        made = bench.folder / "made.npz"
        if kind == "npz":
            npz_part(made, index=samples, logits=[[index, 1.5] for index in samples])
        else:
            ndjson_part(made, [[int(index), {"boxes": [[0, 1]]}] for index in samples])
        content = made.read_bytes()
        bench.put_part(claim, digest, content)
        named.append({"sha256": digest, "bytes": len(content), "rows": len(samples)})
    rows = {"rows": len(unlabeled(claim)), "parts": named}
    agent.commit(claim, "infer", media_type=f"application/x-{kind}", inline=None, **rows)


def load(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as found:
        return dict(found)


class TestOutputs:
    def test_many_parts_become_one_file(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        claim = agent.start()
        commit_parts(bench, agent, claim, 3, "npz")
        make_writer(bench).step()
        found = load(results_folder(bench) / "outputs" / "loop_0.npz")
        assert found["index"].tolist() == unlabeled(claim) == list(range(4, 20))
        assert found["logits"].tolist() == [[index, 1.5] for index in range(4, 20)]

    def test_one_part_is_not_copied(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        claim = agent.start()
        commit_parts(bench, agent, claim, 1, "npz")
        make_writer(bench).step()
        file = results_folder(bench) / "outputs" / "loop_0.npz"
        part = bench.platform.part_path(claim.job_id, f"{0:064x}")
        assert file.samefile(part)
        assert load(file)["index"].tolist() == list(range(4, 20))

    def test_rows_of_a_small_result_become_arrays(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        agent.commit(agent.start())
        make_writer(bench).step()
        found = load(results_folder(bench) / "outputs" / "loop_0.npz")
        assert found["logits"].tolist() == [[0.5, 0.25]] * 16

    @pytest.mark.parametrize("count", [1, 3])
    def test_boxes_become_lines(self, bench: Bench, count: int) -> None:
        agent = bench.agent()
        bench.create(task="object_detection", classes=["cat", "dog"], strategy="random")
        commit_parts(bench, agent, agent.start(), count, "ndjson")
        make_writer(bench).step()
        file = results_folder(bench) / "outputs" / "loop_0.ndjson.gz"
        with gzip.open(file, "rt") as lines:
            found = [json.loads(line) for line in lines]
        assert found == [[index, {"boxes": [[0, 1]]}] for index in range(4, 20)]

    def test_small_boxes_become_lines_as_well(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create(task="object_detection", classes=["cat", "dog"], strategy="random")
        agent.commit(agent.start())
        make_writer(bench).step()
        file = results_folder(bench) / "outputs" / "loop_0.ndjson.gz"
        assert gzip.decompress(file.read_bytes()).count(b"\n") == 16

    def test_a_file_of_the_same_parts_is_not_written_again(self, bench: Bench) -> None:
        agent, writer = bench.agent(), make_writer(bench)
        bench.create()
        agent.commit(agent.start())
        bench.settle()
        commit_parts(bench, agent, agent.start(), 3, "npz")
        writer.step()
        files = [results_folder(bench) / "outputs" / f"loop_{loop}.npz" for loop in (0, 1)]
        before = [file.stat().st_ino for file in files]
        bench.platform.context.due.mark("digits")
        writer.step()
        make_writer(bench, program="2").step()
        assert [file.stat().st_ino for file in files] == before

    def test_a_file_that_somebody_removed_comes_back(self, bench: Bench) -> None:
        agent = bench.agent()
        bench.create()
        agent.commit(agent.start())
        make_writer(bench).step()
        file = results_folder(bench) / "outputs" / "loop_0.npz"
        file.unlink()
        make_writer(bench).step()
        assert file.exists()

    def test_a_rewound_loop_loses_its_file(self, bench: Bench) -> None:
        agent, writer = bench.agent(), make_writer(bench)
        bench.create(loops=4)
        for _ in range(2):
            agent.commit(agent.start())
            bench.settle()
        writer.step()
        bench.rewind()
        bench.rewind()
        bench.settle()
        writer.step()
        outputs = results_folder(bench) / "outputs"
        assert [file.name for file in outputs.iterdir()] == ["loop_0.npz"]
        bench.rewind(2)
        bench.settle()
        writer.step()
        assert shown_files(results_folder(bench)) == EVERY

    def test_a_void_infer_loses_its_file(self, bench: Bench) -> None:
        """The pool grew: the scores are of the old one only."""
        agent, writer = bench.agent(), make_writer(bench)
        bench.create()
        agent.commit(agent.start())
        writer.step()
        agent.register(pipelines=[{"name": "digits", "pool_size": 30}])
        bench.extend(pool=30)
        writer.step()
        assert shown_files(results_folder(bench)) == EVERY

    def test_a_result_that_cannot_be_read_is_told_once_and_stops_nothing(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        agent, writer = bench.agent(), make_writer(bench)
        bench.create()
        claim = agent.start()
        commit_parts(bench, agent, claim, 2, "npz")
        bench.platform.part_path(claim.job_id, f"{1:064x}").write_bytes(b"damaged")
        for _ in range(2):
            bench.platform.context.due.mark("digits")
            writer.step()
        (record,) = caplog.records
        assert "no readable .npz file" in record.getMessage()
        assert record.getMessage().startswith("digits: no file of the outputs: loop 0: ")
        assert shown_files(results_folder(bench)) == EVERY


class TestReports:
    def test_a_report_tells_of_the_control_as_it_is(
        self, bench: Bench, direct: DirectMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[Told] = []
        monkeypatch.setattr(maker_module, "render_page", lambda page: told.append(page) or "page")
        agent, writer = bench.agent(), make_writer(bench, direct)
        bench.create(loops=1, control="replay")
        while (claim := agent.poll()) is not None:
            agent.beat(claim)
            agent.commit(claim)
            bench.settle()
        while not writer._reports.is_empty or not told:
            bench.clock.advance(10)
            writer.step()
        newest = [page for page in told if page.document["name"] == "digits"][-1]
        assert newest.control is not None
        assert newest.control["name"] == "digits-control"
        assert len(newest.control["loops"]) == 1

    def test_a_loop_of_the_control_has_the_report_made_again(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        bench.agent()
        writer = make_writer(bench, direct)
        bench.create(control="replay")
        turn_until_quiet(bench, writer)
        direct.asked.clear()
        bench.platform.context.due.mark("digits-control")
        turn_until_quiet(bench, writer)
        assert sorted(direct.asked) == [
            ("data", "digits-control"), ("report", "digits"), ("report", "digits-control"),
        ]  # fmt: skip

    def test_quick_loops_share_a_report_but_not_the_tables(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        bench.agent()
        bench.create(loops=5)
        writer = make_writer(bench, direct)
        writer.step()
        for _ in range(8):
            bench.platform.context.due.mark("digits")
            writer.step()
        assert direct.asked.count(("data", "digits")) == 9
        assert direct.asked.count(("report", "digits")) == 1

    def test_the_next_turn_comes_when_a_report_may_be_made(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        bench.agent()
        bench.create()
        writer = make_writer(bench, direct)
        direct.report_s = 2.0
        writer.step()
        bench.clock.advance(1)
        bench.platform.context.due.mark("digits")
        assert writer.step() == 19.0, "ten times the 2 s that it took, less the one that passed"

    def test_a_report_that_cannot_be_made_is_left_until_something_changes(
        self, bench: Bench, direct: DirectMaker, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        """A fault of the page must not keep tables from being written, nor the hub busy."""

        def crash(_: Told) -> str:
            raise KeyError("calibration")

        monkeypatch.setattr(maker_module, "render_page", crash)
        bench.agent()
        bench.create()
        writer = make_writer(bench, direct)
        assert writer.step() == 60.0
        assert shown_files(results_folder(bench)) == [file for file in EVERY if "html" not in file]
        assert "no report files: 'calibration'" in caplog.text


def mark_of(bench: Bench, name: str) -> tuple[object, ...]:
    return bench.run(lambda tx: told_mark(tx, name))


class TestSiblings:
    def test_are_the_same_settings_with_other_seeds(self, bench: Bench) -> None:
        bench.agent()
        for name, changed in {
            "a": {}, "b": {"seed": 1}, "c": {"seed": 2}, "again": {"seed": 1},
            "same-seed": {}, "other-batch": {"seed": 3, "batch": 5},
            "controlled": {"seed": 4, "control": "replay"}, "gone": {"seed": 5},
        }.items():  # fmt: skip
            bench.create(name=name, **changed)
        bench.steer("cancel", name="gone")
        assert bench.run(lambda tx: find_siblings(tx, "a")) == ["controlled", "again", "c"]
        told = bench.run(lambda tx: read_told(tx, "a", bench.platform.names))
        assert [sibling["name"] for sibling in told.siblings] == ["controlled", "again", "c"]
        assert told.control is None
        of_control = bench.run(lambda tx: find_siblings(tx, "controlled-control"))
        assert of_control == [], "a control is no seed of anything else"

    def test_an_open_page_draws_its_report_anew_for_whatever_it_tells_of(
        self, bench: Bench
    ) -> None:
        agent = bench.agent()
        bench.create(name="a", loops=1)
        alone = mark_of(bench, "a")
        bench.create(name="b", loops=1, seed=1)
        both = mark_of(bench, "a")
        assert both != alone
        bench.create(name="unlike", loops=1, seed=2, batch=5)
        assert mark_of(bench, "a") == both, "it is no sibling"
        bench.run(lambda tx: bench.platform.pause(tx, "a"))
        paused = mark_of(bench, "a")
        claim = agent.start()
        assert claim.job == "b/0"
        agent.commit(claim)
        bench.settle()
        assert mark_of(bench, "a") != paused, "a sibling that finished makes a band"

    def test_labels_that_are_corrected_change_what_it_tells(self, bench: Bench) -> None:
        bench.agent()
        bench.create(labels={"kind": "csv"})
        bench.bring()
        before = mark_of(bench, "digits")
        bench.bring({0: 1})
        assert mark_of(bench, "digits") != before

    def test_of_an_unknown_experiment_nothing_is_told(self, bench: Bench) -> None:
        with refused("not-found"):
            mark_of(bench, "nobody")

    def test_show_a_finished_one_at_once(self, bench: Bench, direct: DirectMaker) -> None:
        agent, writer = bench.agent(), make_writer(bench, direct)
        bench.create(name="a", loops=1)
        bench.create(name="b", loops=1, seed=1)
        turn_until_quiet(bench, writer)
        direct.asked.clear()
        agent.commit(agent.start())
        bench.settle()
        turn_until_quiet(bench, writer)
        assert {("report", "a"), ("report", "b")} <= set(direct.asked)


class TestStart:
    def test_what_is_up_to_date_is_left_alone(self, bench: Bench, direct: DirectMaker) -> None:
        """A hub that starts for one command must not write 200 reports."""
        bench.agent()
        bench.create(control="replay")
        turn_until_quiet(bench, make_writer(bench))
        make_writer(bench, direct).step()
        assert direct.asked == []

    @pytest.mark.parametrize("file", [*EVERY, ".made.json"])
    def test_a_missing_file_is_made_again(
        self, bench: Bench, direct: DirectMaker, file: str
    ) -> None:
        bench.agent()
        bench.create()
        turn_until_quiet(bench, make_writer(bench))
        (results_folder(bench) / file).unlink()
        make_writer(bench, direct).step()
        assert direct.asked == [("data", "digits"), ("report", "digits")]
        assert (results_folder(bench) / file).exists()

    def test_a_damaged_mark_is_no_mark(self, bench: Bench, direct: DirectMaker) -> None:
        bench.agent()
        bench.create()
        for content in ("", "[]", '{"outputs": 4}', "\x00"):
            turn_until_quiet(bench, make_writer(bench))
            (results_folder(bench) / ".made.json").write_text(content)
            make_writer(bench, direct).step()
        assert direct.asked.count(("data", "digits")) == 4

    def test_another_version_of_the_program_makes_all_files_anew(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        bench.agent()
        bench.create()
        turn_until_quiet(bench, make_writer(bench))
        make_writer(bench, direct, program="2").step()
        assert direct.asked == [("data", "digits"), ("report", "digits")]

    def test_what_a_killed_hub_did_not_write_is_written(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        agent = bench.agent()
        bench.create()
        bench.create(name="quiet")
        turn_until_quiet(bench, make_writer(bench))
        agent.commit(agent.start())
        bench.restart_hub()
        make_writer(bench, direct).step()
        assert direct.asked == [("data", "digits"), ("report", "digits")]


class TestTrouble:
    def test_one_folder_in_the_way_is_not_the_others_trouble(self, bench: Bench) -> None:
        bench.agent()
        bench.create(name="a")
        bench.create(name="b")
        (bench.folder / "results").mkdir()
        (bench.folder / "results" / "a").write_text("in the way")
        writer = make_writer(bench)
        with pytest.raises(StoreError, match="results/a"):
            writer.step()
        assert (results_folder(bench, "b") / "loops.csv").exists()

    def test_a_turn_that_failed_does_not_call_for_the_next(self, bench: Bench) -> None:
        """The pause after an error would be none: the hub would be busy writing its log."""
        bench.agent()
        bench.create(name="a")
        (bench.folder / "results").write_text("in the way")
        writer = make_writer(bench)
        with pytest.raises(StoreError):
            writer.step()
        writer.wake.clear()
        with pytest.raises(StoreError):
            writer.step()
        assert not writer.wake.is_set()

    def test_a_maker_that_died_is_asked_again(self, bench: Bench, direct: DirectMaker) -> None:
        bench.agent()
        bench.create()
        direct.refusals = [ResultsEndedError("ended"), ResultsEndedError("ended")]
        make_writer(bench, direct).step()
        assert direct.asked[:3] == [("data", "digits")] * 3
        assert (results_folder(bench) / "loops.csv").exists()

    def test_what_ended_the_maker_three_times_is_left_until_it_changes(
        self, bench: Bench, direct: DirectMaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench.agent()
        bench.create()
        direct.refusals = [ResultsEndedError("ended")] * 3
        writer = make_writer(bench, direct)
        writer.step()
        assert direct.asked == [("data", "digits")] * 3
        assert "digits: no data files: the process ended 3 times" in caplog.text
        bench.platform.context.due.mark("digits")
        writer.step()
        assert (results_folder(bench) / "loops.csv").exists()

    def test_an_experiment_that_cannot_be_told_is_left(
        self, bench: Bench, direct: DirectMaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench.agent()
        bench.create()
        direct.refusals = [ResultsError("KeyError: 'x'")]
        make_writer(bench, direct).step()
        assert direct.asked == [("data", "digits")]
        assert "digits: no data files: KeyError: 'x'" in caplog.text

    def test_an_unknown_experiment_is_an_error(self, bench: Bench, direct: DirectMaker) -> None:
        with pytest.raises(ProblemError):
            direct.maker.make_data("nothing")


class TestRest:
    def test_the_maker_rests_after_a_minute_without_work(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        bench.agent()
        bench.create()
        writer = make_writer(bench, direct)
        assert writer.step() == 60.0
        assert direct.rests == 0
        bench.clock.advance(60)
        assert writer.step() == 3600.0
        assert direct.rests == 1
        assert writer.step() == 3600.0
        assert direct.rests == 1

    def test_a_hub_without_experiments_starts_nothing(
        self, bench: Bench, direct: DirectMaker
    ) -> None:
        assert make_writer(bench, direct).step() == 3600.0
        assert direct.asked == []


def test_the_last_turn_writes_reports_before_their_time(bench: Bench, direct: DirectMaker) -> None:
    bench.agent()
    bench.create()
    writer = make_writer(bench, direct)
    writer.step()
    bench.platform.context.due.mark("digits")
    writer.step()
    direct.asked.clear()
    writer.finish()
    assert direct.asked == [("report", "digits")]
    writer.finish()
    assert direct.asked == [("report", "digits")]


def turn_until_quiet(bench: Bench, writer: Any) -> None:
    """Turn until nothing is owed."""
    writer.step()
    while writer.wake.is_set() or not writer._reports.is_empty:
        writer.wake.clear()
        bench.clock.advance(10)
        writer.step()
