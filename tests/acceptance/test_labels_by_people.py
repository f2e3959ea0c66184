"""Labels by people with the real command line: export, fill in, import, while `run` waits."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.projects import HOOKS, read_experiment, run_command, write_project

CLASSES = ("red", "green", "blue")
# It trains on what people said, and keeps it for the test to look at.
BY_LABELS = HOOKS.replace(
    '    for index in payload["labeled"]:\n',
    '    assert list(payload["labels"]) == payload["labeled"]\n'
    '    Path("trained-%d.json" % payload["loop"]).write_text(json.dumps(payload["labels"]))\n'
    '    for index, label in payload["labels"].items():\n',
).replace(
    "[index % CLASSES]\n        total", '[["red", "green", "blue"].index(label)]\n        total'
)


def write_asking(folder: Path, more: str = "") -> None:
    write_project(
        folder, loops=2, batch=4, hooks=BY_LABELS,
        experiment=f"labels: {{kind: csv{more}}}\n",
    )  # fmt: skip
    experiment = folder / "experiment.yaml"
    told = experiment.read_text().replace("classes: 3", "classes: [red, green, blue]")
    experiment.write_text(told)


@contextmanager
def running(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """`run`, which is killed at the end if it still runs."""
    command = [sys.executable, "-m", "alectio_agent", "run"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "COLUMNS": "200"},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: "subprocess.Popen[str]", words: str) -> str:
    """The line that has these words."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return line
    raise AssertionError(f"never said {words!r}: {''.join(said)}")


def labels(folder: Path, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    done = run_command("experiment", "labels", *words, cwd=folder)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def export(folder: Path) -> dict[int, str]:
    """What is asked for, with the right label."""
    rows = csv.DictReader(io.StringIO(labels(folder, "export", "toy").stdout))
    return {int(row["index"]): CLASSES[int(row["index"]) % 3] for row in rows}


def bring(folder: Path, given: dict[int, str], code: int = 0) -> "subprocess.CompletedProcess[str]":
    text = "index,label\n" + "".join(f"{index},{label}\n" for index, label in given.items())
    (folder / "done.csv").write_text(text)
    return labels(folder, "import", "toy", "done.csv", code=code)


def trained_on(folder: Path, loop: int) -> dict[int, str]:
    found = json.loads((folder / f"trained-{loop}.json").read_text())
    return {int(index): label for index, label in found.items()}


def test_a_run_waits_for_people_survives_a_kill_and_ends(tmp_path: Path) -> None:
    write_asking(tmp_path)
    with running(tmp_path) as process:
        line = wait_for(process, "waits for labels of 4 samples")
        assert "experiment labels export toy --output toy-loop-0.csv" in line
        first = export(tmp_path)
        half = dict(list(first.items())[:2])
        wrong = next(iter(half))
        done = bring(tmp_path, {**half, wrong: CLASSES[(wrong + 1) % 3]})
        assert "2 new, 0 corrected, 0 unchanged, 0 excluded; 2 of 4 samples" in done.stdout
        assert "It waits for labels of 2 of 4 samples of loop 0, since " in done.stderr
        assert process.poll() is None
    with running(tmp_path) as process:
        wait_for(process, "waits for labels of 2 samples")
        assert set(export(tmp_path)) == set(first) - set(half)
        done = bring(tmp_path, first)
        assert "2 new, 1 corrected, 1 unchanged, 0 excluded; 0 of 4 samples" in done.stdout
        assert "Corrections take effect in loop 0.\nLoop 0 has its labels" in done.stderr
        wait_for(process, "waits for labels of 4 samples")
        assert trained_on(tmp_path, 0) == first
        second = export(tmp_path)
        assert not set(second) & set(first)
        excluded = next(iter(second))
        bring(tmp_path, {**second, excluded: "-"})
        assert process.wait(40) == 0
    del second[excluded]
    assert trained_on(tmp_path, 1) == {**first, **second}
    loops = read_experiment(tmp_path)["loops"]
    assert [loop["labels"] for loop in loops] == [4, 7]
    assert loops[0]["batch_labels"] == [first[index] for index in loops[0]["selected"]]


def test_labels_may_come_while_nothing_runs(tmp_path: Path) -> None:
    write_asking(tmp_path, ", min_returned: 0.5")
    with running(tmp_path) as process:
        wait_for(process, "waits for labels of 4 samples")
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 75, "stopped before the end"
    shown = run_command("experiment", "show", "toy", cwd=tmp_path)
    assert "waits for labels of 4 of 4 samples of loop 0 (2 more are enough)" in shown.stdout
    assert "experiment labels export toy" in shown.stderr
    asked = export(tmp_path)
    refused = bring(tmp_path, {**asked, 59: "rde", 60: "red"}, code=2)
    assert "E-EXP-12  done.csv: 2 places are wrong. Nothing was imported" in refused.stderr
    assert "done.csv:7 index: found 60; the pool has 60 samples" in refused.stderr
    assert "4 of 4 samples" in labels(tmp_path, "status", "toy").stdout
    done = bring(tmp_path, dict(list(asked.items())[:2]))
    assert "Loop 0 has its labels and runs next." in done.stderr
    with running(tmp_path) as process:
        wait_for(process, "waits for labels of 4 samples")
        late = export(tmp_path)
        assert len(late) == 6, "those of loop 0 that are missing are asked for still"
        bring(tmp_path, late)
        assert process.wait(40) == 0
    assert [loop["labels"] for loop in read_experiment(tmp_path)["loops"]] == [2, 8]
    assert len(trained_on(tmp_path, 0)) == 2


def test_every_command_tells_programs_what_it_did(tmp_path: Path) -> None:
    write_asking(tmp_path)
    with running(tmp_path) as process:
        wait_for(process, "waits for labels of 4 samples")
        queue = json.loads(labels(tmp_path, "export", "toy", "--json").stdout)
        assert [sample["status"] for sample in queue["samples"]] == ["asked"] * 4
        (tmp_path / "one.csv").write_text(f"index,label\n{queue['samples'][0]['index']},red\n")
        done = json.loads(labels(tmp_path, "import", "toy", "one.csv", "--json").stdout)
        assert (done["new"], done["missing"], done["loop"], done["started"]) == (1, 3, 0, False)
        told = json.loads(labels(tmp_path, "status", "toy", "--json").stdout)
        assert (told["loops"][0]["asked"], told["loops"][0]["returned"]) == (4, 1)


def test_a_file_with_labels_in_it_is_not_written_over(tmp_path: Path) -> None:
    write_asking(tmp_path)
    with running(tmp_path) as process:
        wait_for(process, "waits for labels of 4 samples")
        labels(tmp_path, "export", "toy", "--output", "todo.csv")
        (tmp_path / "todo.csv").write_text("index,label\n1,red\n")
        refused = labels(tmp_path, "export", "toy", "--output", "todo.csv", code=2)
        assert "E-EXP-11" in refused.stderr
        assert (tmp_path / "todo.csv").read_text() == "index,label\n1,red\n"
        labels(tmp_path, "export", "toy", "--output", "todo.csv", "--force")
        assert len((tmp_path / "todo.csv").read_text().splitlines()) == 5
