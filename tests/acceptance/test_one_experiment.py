"""The installed command, one whole experiment on one machine."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.projects import HOOKS, read_experiment, run_command, write_project


def test_an_experiment_runs_to_its_end_with_its_table_and_files(tmp_path: Path) -> None:
    write_project(tmp_path, strategy="")
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = read_experiment(tmp_path)
    assert found["state"] == "finished"
    assert [loop["labels"] for loop in found["loops"]] == [5, 10, 15, 20]
    assert [len(loop["selected"]) for loop in found["loops"]] == [5, 5, 5, 5]
    with (tmp_path / "results" / "toy" / "loops.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["labels"] for row in rows] == ["5", "10", "15", "20"]
    assert all(0 <= float(row["accuracy"]) <= 1 for row in rows)
    assert "chosen by" in done.stdout
    assert "diverse_margin 90 %, random 10 %" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_second_run_prints_the_table_and_runs_nothing(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2)
    assert run_command("run", cwd=tmp_path).returncode == 0
    (tmp_path / "processes.py").write_text("raise SystemExit('must not be imported')")
    again = run_command("run", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "nothing was run" in again.stderr
    assert "chosen by" in again.stdout


def test_the_control_runs_after_and_starts_from_the_same_batch(tmp_path: Path) -> None:
    write_project(tmp_path, loops=3, experiment="control: replay\n")
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    main, control = read_experiment(tmp_path), read_experiment(tmp_path, "toy-control")
    assert control["state"] == "finished"
    assert control["loops"][0]["selected"] == main["loops"][0]["selected"]
    assert control["loops"][1]["selected"] != main["loops"][1]["selected"]
    assert {loop["chosen_by"] for loop in control["loops"]} == {"random"}
    assert "control" in done.stdout


def test_one_import_after_loop_0_and_a_new_process_at_loop_0(tmp_path: Path) -> None:
    """The data and the model stay loaded; nothing of another experiment's does."""
    say = "Path(os.environ['PIDS']).open('a').write('%s %d\\n' % ({}, os.getpid()))\n"
    log = "import os\n" + say.format("'import'")
    step = "    " + say.format("payload['loop']")
    hooks = HOOKS.replace("\nCLASSES", f"\n{log}\nCLASSES").replace(
        '    begun(payload, "train")\n', '    begun(payload, "train")\n' + step
    )
    pids = tmp_path / "pids"
    write_project(tmp_path, loops=10, batch=3, hooks=hooks, agent="")
    (tmp_path / "agent.yaml").write_text(
        f"pipelines:\n  toy: {{hooks: processes.py, pool_size: 60, env: {{PIDS: {pids}}}}}\n"
        "experiment: experiment.yaml\n"
    )
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in pids.read_text().splitlines()]
    imports = [pid for word, pid in lines if word == "import"]
    loops = {int(word): pid for word, pid in lines if word != "import"}
    assert sorted(loops) == list(range(10))
    # One import to know the hooks, one by the process of the experiment.
    assert len(imports) == 2
    assert set(loops.values()) == {imports[1]}


def test_a_failed_hook_ends_with_3_and_the_same_command_goes_on(tmp_path: Path) -> None:
    broken = HOOKS.replace(
        '    begun(payload, "test")\n',
        '    begun(payload, "test")\n'
        '    if payload["loop"] == 1: raise ValueError("no such file")\n',
    )
    write_project(tmp_path, loops=3, hooks=broken)
    failed = run_command("run", cwd=tmp_path)
    assert failed.returncode == 3
    said = failed.stdout + failed.stderr
    assert "toy/1" in said
    assert "ValueError: no such file" in said
    assert "processes.py" in said
    assert "Traceback" not in said
    (tmp_path / "processes.py").write_text(HOOKS)
    mended = run_command("run", cwd=tmp_path)
    assert mended.returncode == 0, mended.stderr
    found = read_experiment(tmp_path)
    assert [loop["labels"] for loop in found["loops"]] == [5, 10, 15]
    trained = [loop["hyperparams"]["trained"] for loop in found["loops"]]
    assert trained == [1, 2, 3], "train of loop 1 must not have run again"


def test_ctrl_c_finishes_the_step_and_the_same_command_goes_on(tmp_path: Path) -> None:
    waiting = HOOKS.replace(
        '    begun(payload, "train")\n',
        '    begun(payload, "train")\n'
        '    if payload["loop"] == 1:\n'
        "        import time\n"
        '        while not Path(os.environ["BEGUN_FOLDER"], "go").exists(): time.sleep(0.01)\n',
    )
    write_project(tmp_path, loops=3, hooks=waiting)
    begun = tmp_path / "begun"
    begun.mkdir()
    command = [sys.executable, "-m", "alectio_agent", "run"]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "BEGUN_FOLDER": str(begun)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "toy/1 train started" in line:
            break
    running.send_signal(signal.SIGINT)
    for line in running.stderr:
        if "finishes its running step" in line:
            break
    (begun / "go").write_text("")
    _, rest = running.communicate(timeout=40)
    assert running.returncode == 75, rest
    assert "goes on where it was" in rest
    again = run_command("run", cwd=tmp_path, environment={"BEGUN_FOLDER": str(begun)})
    assert again.returncode == 0, again.stderr
    trained = [loop["hyperparams"]["trained"] for loop in read_experiment(tmp_path)["loops"]]
    assert trained == [1, 2, 3]


def test_two_agents_in_one_state_folder_are_told_apart(tmp_path: Path) -> None:
    from alectio_agent.agent.journal.disk import FolderLock

    write_project(tmp_path)
    (tmp_path / ".alectio").mkdir()
    lock = FolderLock(tmp_path / ".alectio")
    busy = run_command("run", cwd=tmp_path)
    lock.release()
    assert busy.returncode == 75
    assert "another agent works in this state folder" in busy.stderr
    assert "Traceback" not in busy.stderr


def refused_then_mended(folder: Path, *said: str) -> None:
    """A refusal with all these words that makes nothing, so that the mended files run."""
    refused = run_command("run", cwd=folder)
    assert refused.returncode == 78, refused.stderr
    for words in said:
        assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    write_project(folder, loops=2)
    mended = run_command("run", cwd=folder)
    assert mended.returncode == 0, mended.stderr


def test_more_labels_than_the_pool_has_are_refused_and_lowering_them_runs(tmp_path: Path) -> None:
    write_project(tmp_path, loops=4, batch=50)
    refused_then_mended(tmp_path, "experiment.yaml batch", "200", "60", "Lower batch or loops")


def test_an_unknown_number_of_samples_is_said_instead_of_waited_for(tmp_path: Path) -> None:
    file = write_project(tmp_path, loops=2)
    file.write_text(file.read_text().replace(", pool_size: 60", ""))
    refused_then_mended(tmp_path, "pipelines.toy.pool_size", "state()")


def test_a_pipeline_that_agent_yaml_lacks_is_said_with_the_nearest(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2, experiment="pipeline: toi\n")
    refused_then_mended(tmp_path, "'toi'", "Did you mean `toy`?")


def test_the_smallest_ready_configuration_really_runs(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for name in ("agent-smallest.yaml", "experiment-smallest.yaml"):
        (tmp_path / name).write_text((root / "configs" / name).read_text())
    hooks = (root / "examples" / "digits" / "processes.py").read_text()
    (tmp_path / "processes.py").write_text(hooks)
    done = run_command("run", "-c", "agent-smallest.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_changed_settings_change_nothing_and_say_what_differs(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2)
    assert run_command("run", cwd=tmp_path).returncode == 0
    before = read_experiment(tmp_path)
    write_project(tmp_path, loops=2, batch=6)
    changed = run_command("run", cwd=tmp_path)
    assert changed.returncode == 2
    assert "batch" in changed.stderr
    assert "Nothing was changed" in changed.stderr
    assert read_experiment(tmp_path) == before


def test_experiment_commands_start_the_sleeping_hub_for_their_own_duration(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2)
    assert run_command("run", cwd=tmp_path).returncode == 0
    listed = run_command("experiment", "list", "--json", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    names = [found["name"] for found in json.loads(listed.stdout)["experiments"]]
    assert names == ["toy"]
    assert listed.stderr == "starting the hub in the box for this command\n"
    assert run_command("experiment", "list", "-q", cwd=tmp_path).stderr == ""
    shown = run_command("experiment", "show", "toy", cwd=tmp_path)
    assert "chosen by" in shown.stdout
    unknown = run_command("experiment", "show", "tpy", cwd=tmp_path)
    assert unknown.returncode == 2
    assert "Traceback" not in unknown.stderr


def test_a_signal_during_the_start_is_stopped_before_the_end(tmp_path: Path) -> None:
    """Hooks that import for minutes are loaded before anything runs."""
    go = tmp_path / "imported"
    slow = (
        f"from pathlib import Path\nPath({str(go)!r}).write_text('')\nimport time\ntime.sleep(60)\n"
    )
    write_project(tmp_path, hooks=slow + HOOKS)
    command = [sys.executable, "-m", "alectio_agent", "run"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        pause = threading.Event()
        while not go.exists():
            pause.wait(0.02)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=40)
    assert running.returncode == 75, said
    assert "stopped by SIGTERM" in said
    assert "Traceback" not in said


def test_exit_handlers_of_hooks_run_at_the_end(tmp_path: Path) -> None:
    mark = tmp_path / "handled"
    handler = (
        "import atexit\nfrom pathlib import Path\n"
        f"atexit.register(lambda: Path({str(mark)!r}).open('a').write('x'))\n"
    )
    write_project(tmp_path, loops=1, hooks=handler + HOOKS)
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert mark.read_text() == "xx", "the process that knew the hooks, and the one that ran them"


def test_a_failure_ends_the_run_although_a_control_could_go_on(tmp_path: Path) -> None:
    slow_control = HOOKS.replace(
        '    begun(payload, "train")\n',
        '    if payload["ckpt_dir"].endswith("-control"):\n'
        "        import time; time.sleep(120)\n"
        '    elif payload["loop"] == 1: raise ValueError("no such file")\n',
    )
    write_project(tmp_path, hooks=slow_control, experiment="control: replay\n")
    failed = run_command("run", cwd=tmp_path)
    assert failed.returncode == 3, failed.stderr
    assert "no such file" in failed.stdout + failed.stderr
