"""Results files: whole, in time, and the same for the same data."""

import csv
import io
import json
from pathlib import Path

import pytest

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments.results_document import as_json, read_document
from alectio_agent.hub.results.tables import loops_csv
from alectio_agent.hub.results.writer import ResultsWriter
from tests.support.benches import Bench, BenchStore
from tests.support.results import make_writer, shown_files

VARYING = ("times", "attempts")


def document(bench: Bench, name: str = "digits"):
    return bench.run(lambda tx: read_document(tx, name))


def without_varying(value):
    """A document less what may differ from run to run."""
    if isinstance(value, dict):
        return {key: without_varying(value[key]) for key in value if key not in VARYING}
    return [without_varying(entry) for entry in value] if isinstance(value, list) else value


def run(bench: Bench, loops: int = 2) -> None:
    agent = bench.agent()
    bench.create(loops=loops)
    for _ in range(loops):
        agent.commit(agent.start())
        bench.settle()


@pytest.fixture
def writer(bench: Bench) -> ResultsWriter:
    return make_writer(bench)


def results_of(bench: Bench, name: str = "digits") -> dict:
    return json.loads((bench.folder / "results" / name / "experiment.json").read_text())


def test_the_document_holds_what_every_loop_keeps(bench: Bench) -> None:
    run(bench)
    found = document(bench)
    assert (found["state"], found["pool"]) == ("finished", {"size": 20, "digest": None})
    assert found["settings"]["batch"] == 4
    loop = found["loops"][1]
    assert (loop["labels"], loop["batch"], loop["selected"]) == (8, 4, [4, 5, 6, 7])
    assert loop["selection"]["reasons"] == ["margin"] * 4
    assert loop["selection"]["scores"] == [0.25] * 4
    assert loop["selection"]["settings"]["strategy"] == [{"name": "margin", "share": 1.0}]
    assert loop["metrics"]["accuracy"] == 0.5
    assert loop["confusion"] == [[1, 0], [0, 1]]
    assert loop["hyperparams"] == {"lr": 0.1}
    assert loop["rows"] == {"train": 0, "test": 2}
    assert loop["times"]["seconds"] == {"train": 1.5, "test": 1.5}
    assert loop["times"]["done_at"] == "2026-01-01T00:00:00.000Z"
    (attempt,) = loop["attempts"]
    assert (attempt["agent"], attempt["checkpoint"]) == ("gpu01", "digits-ckpt_1")
    assert attempt["resume_from"] == "digits-ckpt_0"


MADE_OF = {
    "code": {"digest": "a" * 64, "files": {"processes.py": "b" * 12}, "git_commit": "c" * 40},
    "interpreter": {"version": "3.11.2", "packages": {"numpy": "2.0"}},
    "args": {"lr": 0.1},
}


def test_the_document_tells_what_each_train_run_was_made_of(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=2)
    agent.commit(agent.start(), provenance=MADE_OF)
    bench.settle()
    agent.commit(agent.start())
    told, untold = (loop["provenance"] for loop in document(bench)["loops"])
    assert told["code"]["files"] == {"processes.py": "b" * 12}
    assert told["interpreter"]["packages"] == {"numpy": "2.0"}
    assert told["args"] == {"lr": 0.1}
    assert untold is None, "an agent of an older version tells nothing"


def test_what_counts_is_the_train_run_that_counts(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(loops=2, takeover_after=0)
    agent.commit(agent.start(), "train", provenance={**MADE_OF, "args": {"lr": 9}})
    bench.tick(91)
    other.commit(other.start(), provenance=MADE_OF)
    assert document(bench)["loops"][0]["provenance"]["args"] == {"lr": 0.1}


def test_a_disturbed_run_gives_the_same_document_but_for_times_and_attempts(
    tmp_path: Path, bench_store: BenchStore
) -> None:
    quiet = Bench(tmp_path / "quiet", bench_store)
    run(quiet)
    undisturbed = document(quiet)
    rough = Bench(tmp_path / "rough", bench_store)
    rough.clock.advance(1000)
    agent, other = rough.agent("one"), rough.agent("two")
    rough.create(loops=2, takeover_after=None)
    agent.fail(agent.start(), "crash", message="killed")
    first = agent.start()
    agent.commit(first, "train", warnings=[])
    rough.restart_hub()
    agent.restart(holding=[first.lease], checkpoints=[])
    agent.commit(first, "test", "infer")
    rough.settle()
    rough.clock.advance(4000)
    other.commit(other.claim())
    rough.settle()
    disturbed = document(rough)
    assert without_varying(disturbed) == without_varying(undisturbed)
    assert disturbed != undisturbed


def test_failed_attempts_tell_what_happened(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.fail(agent.start(), "crash", message="signal 9", traceback="Traceback ...")
    (attempt,) = document(bench)["loops"][0]["attempts"]
    assert (attempt["state"], attempt["class"], attempt["step"]) == ("failed", "crash", "train")
    assert (attempt["message"], attempt["traceback"]) == ("signal 9", "Traceback ...")


def test_json_has_sorted_keys_and_a_line_for_each_loop(bench: Bench) -> None:
    run(bench)
    text = as_json(document(bench))
    assert json.loads(text) == document(bench)
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert sum(line.startswith("  {") for line in text.splitlines()) == 2


def test_an_experiment_without_loops_is_json_as_well(bench: Bench) -> None:
    bench.create()
    assert json.loads(as_json(document(bench)))["loops"] == []


def test_csv_has_a_row_for_each_loop_that_is_done(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.settle()
    (row,) = csv.DictReader(io.StringIO(loops_csv(document(bench))))
    assert row == {
        "loop": "0", "labels": "4", "batch": "4",
        "accuracy": "0.5", "macro_f1": "0.5", "macro_precision": "0.5", "macro_recall": "0.5",
        "train_s": "1.5", "test_s": "1.5", "infer_s": "1.5",
        "chosen_by": "random", "agent": "gpu01", "attempt": "1",
        "done_at": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip


def test_csv_leaves_empty_what_is_not_known_yet(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=1)
    agent.commit(agent.start())
    (row,) = csv.DictReader(io.StringIO(loops_csv(document(bench))))
    assert (row["accuracy"], row["infer_s"]) == ("", "")


def test_files_are_written_after_every_loop(bench: Bench, writer: ResultsWriter) -> None:
    agent = bench.agent()
    bench.create()
    writer.step()
    agent.commit(agent.start())
    bench.settle()
    assert writer.wake.is_set()
    writer.step()
    found = results_of(bench)
    assert found["loops"][0]["metrics"]["accuracy"] == 0.5
    table = (bench.folder / "results" / "digits" / "loops.csv").read_text()
    assert table.startswith("loop,labels,batch,accuracy,")
    assert shown_files(bench.folder / "results" / "digits") == [
        "classes.csv", "experiment.json", "loops.csv", "outputs/loop_0.npz", "report.html",
        "selected.csv",
    ]  # fmt: skip


def test_the_first_turn_writes_all_experiments(bench: Bench) -> None:
    """What a killed hub did not get to write is written by the next one."""
    run(bench)
    bench.restart_hub()
    make_writer(bench).step()
    assert results_of(bench)["state"] == "finished"


def waited_s(bench: Bench, writer: ResultsWriter) -> float:
    before = bench.clock.monotonic()
    writer.step()
    return bench.clock.monotonic() - before


def test_changes_that_follow_each_other_fast_share_one_write(
    bench: Bench, writer: ResultsWriter
) -> None:
    bench.agent()
    bench.create()
    writer.step()
    bench.platform.context.due.mark("digits")
    assert waited_s(bench, writer) == 0.5
    bench.clock.advance(10)
    bench.platform.context.due.mark("digits")
    assert waited_s(bench, writer) == 0


def test_loops_of_an_experiment_that_goes_on_share_more_and_its_end_does_not(
    bench: Bench, writer: ResultsWriter
) -> None:
    agent = bench.agent()
    bench.create()
    writer.step()
    for _ in range(2):
        agent.commit(agent.start())
        bench.settle()
        assert waited_s(bench, writer) == 2.0
    agent.commit(agent.start())
    bench.settle()
    assert waited_s(bench, writer) == 0.5
    assert results_of(bench)["state"] == "finished"


def test_reports_that_are_owed_wait_for_no_loop(bench: Bench, writer: ResultsWriter) -> None:
    """A hub that starts may owe hundreds, one a turn."""
    bench.agent()
    for name in ("a", "b", "c"):
        bench.create(name=name)
    writer.step()
    assert [waited_s(bench, writer) for _ in range(2)] == [0.5, 0.5]
    reports = {path.parent.name for path in (bench.folder / "results").glob("*/report.html")}
    assert reports == {"a", "b", "c"}


def test_nothing_is_written_when_nothing_changed(bench: Bench, writer: ResultsWriter) -> None:
    bench.agent()
    bench.create()
    writer.step()
    file = bench.folder / "results" / "digits" / "experiment.json"
    file.unlink()
    writer.step()
    assert not file.exists()


def test_what_could_not_be_written_stays_owed(bench: Bench, writer: ResultsWriter) -> None:
    bench.agent()
    bench.create(name="a")
    bench.create(name="b")
    (bench.folder / "results").write_text("in the way")
    with pytest.raises(StoreError):
        writer.step()
    (bench.folder / "results").unlink()
    writer.step()
    assert results_of(bench, "a")["name"] == "a"
    assert results_of(bench, "b")["name"] == "b"


def test_files_that_are_up_to_date_are_not_called_older(bench: Bench) -> None:
    """Each change asks for the files, and one answer may have served two of them."""
    run(bench)
    made = make_writer(bench)
    made.step()
    bench.platform.context.due.mark("digits")
    assert made.unwritten() == ([], [])
    bench.create(name="other")
    assert made.unwritten() == (["other"], [])
