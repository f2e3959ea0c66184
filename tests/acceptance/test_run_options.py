"""What the options of `run` do, with the hub in the box."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, read_experiment, run_command, write_project

pytestmark = pytest.mark.timeout(180)  # they run an experiment up to five times


def labels(folder: Path, name: str = "toy") -> list[int]:
    """Labels of each loop that is done."""
    loops = read_experiment(folder, name)["loops"]
    return [loop["labels"] for loop in loops if loop["state"] == "done"]


def test_once_runs_one_loop_and_the_next_run_goes_on(tmp_path: Path) -> None:
    write_project(tmp_path, loops=3)
    once = run_command("run", "--once", cwd=tmp_path)
    assert once.returncode == 0, once.stderr
    assert labels(tmp_path) == [5]
    assert "1 job done, as asked. The experiment goes on with: alectio-agent run" in once.stderr
    assert run_command("run", cwd=tmp_path).returncode == 0
    assert labels(tmp_path) == [5, 10, 15]


def test_max_jobs_ends_after_so_many_loops(tmp_path: Path) -> None:
    write_project(tmp_path, loops=4)
    two = run_command("run", "--max-jobs", "2", cwd=tmp_path)
    assert two.returncode == 0, two.stderr
    assert labels(tmp_path) == [5, 10]
    assert "2 jobs done, as asked" in two.stderr


def test_a_job_that_fails_within_its_number_ends_with_3(tmp_path: Path) -> None:
    hooks = HOOKS.replace('    begun(payload, "test")\n', "    raise ValueError('no data')\n")
    write_project(tmp_path, hooks=hooks)
    once = run_command("run", "--once", cwd=tmp_path)
    assert once.returncode == 3
    assert "E-HOOK-10" in once.stderr
    assert "Mend it, then: alectio-agent run" in once.stderr


def test_new_starts_afresh_beside_and_run_then_means_the_newest(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2, experiment="control: replay\n")
    assert run_command("run", cwd=tmp_path).returncode == 0
    again = run_command("run", cwd=tmp_path)
    assert "Start it afresh beside this one: alectio-agent run --new" in again.stderr
    assert again.returncode == 0
    first = run_command("run", "--new", "--once", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert labels(tmp_path, "toy-2") == [5]
    rest = run_command("run", cwd=tmp_path)
    assert rest.returncode == 0, rest.stderr
    assert labels(tmp_path, "toy-2") == labels(tmp_path) == [5, 10]
    assert labels(tmp_path, "toy-2-control") == [5, 10]
    third = run_command("run", "--new", cwd=tmp_path)
    assert third.returncode == 0, third.stderr
    assert labels(tmp_path, "toy-3") == [5, 10]


def test_changed_settings_are_refused_and_both_ways_on_are_named(tmp_path: Path) -> None:
    """E-EXP-03, by making the mistake."""
    write_project(tmp_path, loops=4)
    assert run_command("run", "--max-jobs", "2", cwd=tmp_path).returncode == 0
    write_project(tmp_path, loops=4, batch=8)
    refused = run_command("run", cwd=tmp_path)
    assert refused.returncode == 2
    told = " ".join(refused.stderr.split())
    assert "E-EXP-03 experiment `toy` already ran 2 of 4 loops with batch 5" in told
    assert "; experiment.yaml now says 8" in told
    assert "alectio-agent run --update" in told
    assert "alectio-agent run --new" in told
    assert "Nothing was changed" in told
    assert labels(tmp_path) == [5, 10]


def test_update_goes_on_with_the_new_settings_from_the_next_loop(tmp_path: Path) -> None:
    write_project(tmp_path, loops=4)
    assert run_command("run", "--max-jobs", "2", cwd=tmp_path).returncode == 0
    write_project(tmp_path, loops=5, batch=8)
    updated = run_command("run", "--update", cwd=tmp_path)
    assert updated.returncode == 0, updated.stderr
    # The third loop's samples may have been chosen already when the settings changed.
    assert labels(tmp_path) in ([5, 10, 18, 26, 34], [5, 10, 15, 23, 31])


def test_update_with_more_loops_reopens_a_finished_experiment(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2)
    assert run_command("run", cwd=tmp_path).returncode == 0
    write_project(tmp_path, loops=3)
    updated = run_command("run", "--update", cwd=tmp_path)
    assert updated.returncode == 0, updated.stderr
    assert labels(tmp_path) == [5, 10, 15]


def test_a_wrong_guess_is_put_right_while_no_loop_is_done(tmp_path: Path) -> None:
    """As after `init --from`: `classes` was guessed, and the first `infer` says it is wrong."""
    write_project(tmp_path, loops=2)
    right = (tmp_path / "experiment.yaml").read_text()
    (tmp_path / "experiment.yaml").write_text(right.replace("classes: 3", "classes: 10"))
    wrong = run_command("run", cwd=tmp_path)
    assert wrong.returncode == 3
    assert "E-HOOK-06" in wrong.stderr
    (tmp_path / "experiment.yaml").write_text(right)
    refused = run_command("run", cwd=tmp_path)
    assert "Go on with the new values from loop" in refused.stderr
    updated = run_command("run", "--update", cwd=tmp_path)
    assert updated.returncode == 0, updated.stderr
    assert labels(tmp_path) == [5, 10]


def test_new_settings_for_loops_that_all_have_run_say_that_loops_is_in_the_way(
    tmp_path: Path,
) -> None:
    write_project(tmp_path, loops=1)
    assert run_command("run", cwd=tmp_path).returncode == 0
    write_project(tmp_path, loops=1, batch=9)
    refused = run_command("run", cwd=tmp_path)
    assert refused.returncode == 2
    assert "All its loops have run: raise `loops`" in refused.stderr
    assert "--update" not in refused.stderr


def test_json_is_all_that_run_prints_for_programs(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2)
    for _ in range(2):  # while it runs, and when it is finished already
        done = run_command("run", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        view = json.loads(done.stdout)
        assert (view["state"], len(view["loops"])) == ("finished", 2)
        assert view["loops"][1]["metrics"]["accuracy"] > 0


def test_the_score_of_the_failed_loop_is_in_the_table(tmp_path: Path) -> None:
    """Its `test` was counted: the screen with the failure need not hide it."""
    hooks = HOOKS.replace('    begun(payload, "infer")\n', "    raise ValueError('no data')\n")
    write_project(tmp_path, hooks=hooks)
    failed = run_command("run", cwd=tmp_path)
    assert failed.returncode == 3
    assert "accuracy" in failed.stdout
    assert failed.stderr.count("Mend it, then") == 2  # with the failure, and as the last line
    assert "Mend it" not in failed.stdout


def test_what_makes_an_experiment_itself_cannot_be_updated(tmp_path: Path) -> None:
    write_project(tmp_path, loops=3)
    assert run_command("run", "--once", cwd=tmp_path).returncode == 0
    (tmp_path / "experiment.yaml").write_text(
        "name: toy\nclasses: 4\nbatch: 5\nloops: 3\nseed: 9\n"
    )
    refused = run_command("run", "--update", cwd=tmp_path)
    assert refused.returncode == 2
    assert "E-EXP-06" in refused.stderr
    assert "classes" in refused.stderr
    assert "seed" in refused.stderr
    assert "alectio-agent run --new" in refused.stderr


def test_stay_waits_for_more_when_the_experiment_is_over(tmp_path: Path) -> None:
    write_project(tmp_path, loops=1)
    with subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", "run", "--stay"],
        cwd=tmp_path, env=os.environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as staying:  # fmt: skip
        assert staying.stderr is not None
        for line in staying.stderr:
            if "toy finished" in line:
                break
        assert staying.poll() is None
        staying.send_signal(signal.SIGTERM)
        out, _ = staying.communicate(timeout=40)
    assert staying.returncode == 0
    assert "chosen by" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stay", "--until-done"), "--until-done and --stay contradict each other"),
        (("--stay", "--once"), "--once and --stay contradict each other"),
        (("--new", "--update"), "--new and --update contradict each other"),
        (("--max-jobs", "0"), "0 is not in the range"),
    ],
)
def test_options_that_cannot_be_are_refused(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    write_project(tmp_path)
    refused = run_command("run", *options, cwd=tmp_path)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "E-USE-01" in refused.stderr
    assert not (tmp_path / ".alectio").exists()
