"""Real hook processes: kept warm, replaced, ended; no failure of a hook hurts the agent's side."""

import hashlib
import json
import os
import signal
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alectio_agent.core.errors import (
    CheckpointError,
    HookCrashedError,
    HookError,
    HookInterruptedError,
    HookLoadError,
    HookRaisedError,
    HookResultError,
    HookTimeoutError,
    StoreError,
    StoreFullError,
)
from tests.support.hook_runs import HANGING, HOOKS, STUBBORN, HookBench

RECORDING = """
import os, sys
from pathlib import Path

RECORD = Path(os.environ["RECORD"])

def record(word):
    with RECORD.open("a") as file:
        file.write("%s %d\\n" % (word, os.getpid()))

record("import")
""" + HOOKS.replace("(payload):\n", "(payload):\n    record(sys._getframe().f_code.co_name)\n")

CALLS = ("train", "test", "infer")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HookBench]:
    made = HookBench(tmp_path, RECORD=str(tmp_path / "record"))
    yield made
    made.close()
    assert made.groups.living == {}, "a process group was left behind"


def recorded(bench: HookBench) -> list[tuple[str, int]]:
    lines = (bench.folder / "record").read_text().splitlines()
    return [(word, int(pid)) for word, pid in (line.split() for line in lines)]


def processes(bench: HookBench) -> int:
    return len({pid for _, pid in recorded(bench)})


def run_loop(bench: HookBench, pipeline, loop: int, **changed) -> None:
    for step in CALLS:
        bench.run(pipeline, step, loop=loop, **changed)


def starts(bench: HookBench) -> dict[str, float]:
    """Why processes were started, as it is counted."""
    return {reason: count for reason, count in bench.slot.starts.amounts.items() if count}


class TestWarmth:
    def test_loops_after_the_first_share_one_import(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(RECORDING)
        for loop in range(1, 10):
            run_loop(bench, pipeline, loop)
        words = [word for word, _ in recorded(bench)]
        assert words == ["import", *(CALLS * 9)]
        assert processes(bench) == 1

    def test_the_steps_of_loop_0_share_a_process_and_loop_1_goes_on_in_it(
        self, bench: HookBench
    ) -> None:
        pipeline = bench.pipeline(RECORDING)
        run_loop(bench, pipeline, 0)
        run_loop(bench, pipeline, 1)
        assert [word for word, _ in recorded(bench)].count("import") == 1

    def test_training_from_nothing_gets_a_new_process(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(RECORDING)
        run_loop(bench, pipeline, 1)
        run_loop(bench, pipeline, 0)
        assert processes(bench) == 2
        assert starts(bench) == {"first": 1, "training": 1}

    def test_another_experiment_gets_a_new_process(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(RECORDING)
        bench.run(pipeline, experiment="one")
        bench.run(pipeline, experiment="two")
        assert processes(bench) == 2
        assert starts(bench) == {"first": 1, "other_job": 1}

    def test_other_settings_get_a_new_process(self, bench: HookBench) -> None:
        bench.run(bench.pipeline(RECORDING))
        bench.run(bench.pipeline(RECORDING, args={"rate": 2}))
        assert processes(bench) == 2

    def test_a_failed_step_gets_a_new_process(self, bench: HookBench) -> None:
        broken = f"{RECORDING}\ndef infer(payload):\n    raise ValueError('no')\n"
        pipeline = bench.pipeline(broken)
        bench.run(pipeline)
        with pytest.raises(HookRaisedError):
            bench.run(pipeline, "infer")
        bench.run(pipeline, "test")
        assert processes(bench) == 2
        assert starts(bench) == {"first": 1, "failed": 1}

    def test_an_edited_hooks_file_gets_a_new_process(self, bench: HookBench) -> None:
        bench.run(bench.pipeline(RECORDING))
        bench.run(bench.pipeline(RECORDING + "\nEDITED = True\n"), "test")
        assert processes(bench) == 2
        assert starts(bench) == {"first": 1, "edited": 1}

    def test_an_edited_module_of_the_hooks_folder_gets_a_new_process(
        self, bench: HookBench
    ) -> None:
        pipeline = bench.pipeline(RECORDING + "\nimport network\nprint(network.LAYERS)\n")
        module = pipeline.cwd / "network.py"
        module.write_text("LAYERS = 'two'\n")
        bench.run(pipeline)
        module.write_text("LAYERS = 'six'\n")
        bench.run(pipeline, "test")
        assert processes(bench) == 2
        assert bench.log().split() == ["two", "six"]

    def test_a_module_imported_inside_a_hook_is_watched_too(self, bench: HookBench) -> None:
        late = RECORDING.replace('.write_text("weights")', '.write_text("w")\n    import late')
        pipeline = bench.pipeline(late)
        (pipeline.cwd / "late.py").write_text("A = 1\n")
        bench.run(pipeline)
        (pipeline.cwd / "late.py").write_text("A = 2\n")
        bench.run(pipeline, "test")
        assert processes(bench) == 2

    def test_a_file_written_again_with_the_same_content_changes_nothing(
        self, bench: HookBench
    ) -> None:
        bench.run(bench.pipeline(RECORDING))
        bench.run(bench.pipeline(RECORDING), "test")
        assert processes(bench) == 1

    def test_an_edited_env_file_gets_a_new_process(self, bench: HookBench) -> None:
        env_file = bench.folder / "secrets.env"
        env_file.touch(0o600)
        env_file.write_text("COLOUR=red\n")
        hooks = RECORDING + "\nprint(os.environ['COLOUR'])\n"
        pipeline = bench.pipeline(hooks, env_file=env_file)
        bench.run(pipeline)
        env_file.write_text("COLOUR=blue\n")
        bench.run(pipeline, "test")
        assert bench.log().split() == ["red", "blue"]

    def test_an_idle_process_is_ended_after_keep_warm(self, bench: HookBench) -> None:
        bench.run(bench.pipeline(RECORDING, keep_warm="0s"))
        assert len(bench.groups.living) == 1
        assert bench.slot.evict_idle() is None
        assert bench.groups.living == {}
        bench.run(bench.pipeline(RECORDING, keep_warm="0s"), "test")
        assert starts(bench) == {"first": 1, "idle": 1}

    def test_an_idle_process_stays_while_its_time_is_not_over(self, bench: HookBench) -> None:
        bench.run(bench.pipeline(RECORDING, keep_warm="1h"))
        left_s = bench.slot.evict_idle()
        assert left_s is not None
        assert 0 < left_s <= 3600
        assert len(bench.groups.living) == 1

    def test_forever_is_never_looked_at_again(self, bench: HookBench) -> None:
        bench.run(bench.pipeline(RECORDING, keep_warm="forever"))
        assert bench.slot.evict_idle() is None
        assert len(bench.groups.living) == 1

    def test_a_process_that_died_while_idle_is_replaced(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(RECORDING)
        bench.run(pipeline)
        (pid,) = bench.groups.living
        gone = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        await_end(gone)
        bench.run(pipeline, "test")
        assert processes(bench) == 2
        assert starts(bench) == {"first": 1, "died": 1}

    def test_memory_is_measured_when_somebody_asks_for_it(self, bench: HookBench) -> None:
        pipeline = bench.pipeline()
        assert bench.run(pipeline).memory_bytes is None
        found = bench.run(pipeline, "test", is_measured=True)
        assert found.memory_bytes is not None
        assert found.memory_bytes > 2**20
        assert found.gpu_bytes is None

    def test_exit_handlers_of_the_hooks_run_when_the_process_is_no_longer_needed(
        self, bench: HookBench
    ) -> None:
        bench.run(bench.pipeline(RECORDING + "\nimport atexit\natexit.register(record, 'bye')\n"))
        bench.slot.close()
        assert recorded(bench)[-1][0] == "bye"


LEAKY = """
from pathlib import Path

WEIGHTS = []

def train(payload):
    WEIGHTS.extend(payload["labeled"])
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text("x")
    return {"hyperparams": {"weights": list(WEIGHTS)}}

def test(payload):
    return {"predictions": [0], "labels": [0]}

def infer(payload):
    return {"outputs": {index: [float(len(WEIGHTS)), %s] for index in payload["unlabeled"]}}
"""


def test_two_pipelines_that_keep_globals_give_in_turn_what_each_gives_alone(
    bench: HookBench,
) -> None:
    first = bench.pipeline(LEAKY % "1.0", "first")
    second = bench.pipeline(LEAKY % "2.0", "second")

    def results(*names: str) -> dict[str, list]:
        found: dict[str, list] = {"first": [], "second": []}
        for loop in range(2):
            for name in names:
                pipeline = first if name == "first" else second
                changed = {"pipeline_name": name, "experiment": name, "loop": loop}
                for step in ("train", "infer"):
                    # Its state went with the process when the other pipeline had its turn.
                    payload = {"resume_from": None} if step == "train" and loop else {}
                    outcome = bench.run(pipeline, step, payload=payload, **changed)
                    found[name].append(outcome.inline)
        return found

    together = results("first", "second")
    assert together["first"] == results("first")["first"]
    assert together["second"] == results("second")["second"]


def await_end(pidfd: int) -> None:
    """Wait, without a deadline of its own, until a process has ended."""
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(30_000), "the process lives on"
    os.close(pidfd)


FAILURES = {
    "raises": ("raise ValueError('bad row')", HookRaisedError, "ValueError: bad row"),
    "exits": ("import sys; sys.exit(3)", HookRaisedError, "SystemExit: 3"),
    "is interrupted": ("raise KeyboardInterrupt", HookRaisedError, "KeyboardInterrupt"),
    "recurses": ("f = lambda: f(); f()", HookRaisedError, "RecursionError"),
    "ends the process": ("os._exit(5)", HookCrashedError, "exit code 5"),
    "ends it as if all were well": ("os._exit(0)", HookCrashedError, "exit code 0"),
    "segfaults": ("import ctypes; ctypes.string_at(0)", HookCrashedError, "SIGSEGV"),
    "is killed": ("os.kill(os.getpid(), 9)", HookCrashedError, "SIGKILL"),
    "closes all files": ("os.closerange(3, 99); return 1", HookCrashedError, "SIGKILL"),
    "returns nonsense": ("return 1", HookResultError, "found int"),
    "has no checkpoint": (
        "import alectio_agent; raise alectio_agent.CheckpointMissing('lost')",
        CheckpointError,
        "CheckpointMissing: lost",
    ),
    "raises something unreadable": (
        "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()",
        HookRaisedError,
        "Odd: (its text cannot be read)",
    ),
}


class TestFailures:
    @pytest.mark.parametrize("kind", FAILURES)
    def test_a_hook_that_fails_leaves_the_slot_usable(self, bench: HookBench, kind: str) -> None:
        code, expected, said = FAILURES[kind]
        pipeline = bench.pipeline(f"{HOOKS}\ndef test(payload):\n    {code}\n")
        bench.run(pipeline)
        with pytest.raises(expected) as failed:
            bench.run(pipeline, "test")
        assert type(failed.value) is expected
        assert said in str(failed.value)
        assert "Traceback" not in str(failed.value)
        assert bench.run(pipeline, "infer").rows == 3

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("import sys; sys.exit('early')", "SystemExit: early"),
            ("import no_such_thing", "`import no_such_thing`: not installed in"),
            ("1 / 0", "ZeroDivisionError"),
            ("def broken(:", "SyntaxError"),
            ("del infer", "found no function `infer`"),
            ("infer = lambda payload: 1", "a lambda"),
            ("def infer(a, b): pass", "signature infer(a, b)"),
        ],
    )
    def test_hooks_that_cannot_be_loaded_say_where(
        self, bench: HookBench, line: str, said: str
    ) -> None:
        pipeline = bench.pipeline(f"{HOOKS}\n{line}\n")
        with pytest.raises(HookLoadError) as failed:
            bench.run(pipeline)
        assert said in str(failed.value)
        assert "processes.py" in str(failed.value) or "hook `infer`" in str(failed.value)
        assert bench.run(bench.pipeline()).rows == 0

    @pytest.mark.parametrize(
        ("hooks", "said"),
        [
            ("missing.py", "missing.py: no such file"),
            ("hooks.txt", "hooks.txt: expected a Python file"),
            ({"train": "processes:fit"}, "processes.py: found no function `fit`"),
            ({"train": "no_such_module:train"}, "no_such_module"),
        ],
    )
    def test_hooks_that_are_not_where_they_should_be_are_named(
        self, bench: HookBench, hooks: str | dict[str, str], said: str
    ) -> None:
        home = bench.pipeline().cwd
        (home / "hooks.txt").touch()
        references = {step: f"processes:{step}" for step in CALLS}
        named = home / hooks if isinstance(hooks, str) else {**references, **hooks}
        keys = {"hooks": named, "cwd": home, "checkpoints": {"dir": home / "checkpoints"}}
        with pytest.raises(HookLoadError) as failed:
            bench.run(bench.pipeline().model_validate(keys))
        assert said in str(failed.value)
        assert bench.run(bench.pipeline()).rows == 0

    def test_an_import_that_kills_the_process_is_a_crash(self, bench: HookBench) -> None:
        with pytest.raises(HookCrashedError, match="exit code 7"):
            bench.run(bench.pipeline(f"import os\nos._exit(7)\n{HOOKS}"))
        assert bench.run(bench.pipeline()).rows == 0

    def test_a_message_names_the_users_line_and_the_traceback_only_user_code(
        self, bench: HookBench
    ) -> None:
        hooks = HOOKS.replace("def test(payload):", "def test(payload):\n    json.loads('{')")
        pipeline = bench.pipeline(f"import json\n{hooks}")
        with pytest.raises(HookRaisedError) as failed:
            bench.run(pipeline, "test")
        error = failed.value
        line = error.message.split(": ")[0]
        assert line == f"{pipeline.hooks}:10 in test"
        assert "JSONDecodeError" in error.message
        assert "session.py" not in error.traceback
        assert error.traceback.startswith("Traceback (most recent call last):\n  File ")
        assert "json.loads('{')" in error.traceback
        assert "JSONDecodeError" in bench.log(), "the job's log holds the traceback too"
        assert "train is kept" in error.hint

    def test_an_interpreter_that_is_not_there_names_its_key(self, bench: HookBench) -> None:
        with pytest.raises(HookLoadError, match=r"pipelines.toy.python: .*no such interpreter"):
            bench.run(bench.pipeline(python=bench.folder / "no/python"))

    def test_an_interpreter_that_is_none_is_refused(self, bench: HookBench) -> None:
        fake = bench.folder / "python"
        fake.write_text("#!/no/such/shell\n")
        fake.chmod(0o755)
        with pytest.raises(HookLoadError, match="cannot be started"):
            bench.run(bench.pipeline(python=fake))
        assert bench.run(bench.pipeline()).rows == 0

    def test_a_working_folder_that_is_not_there_names_its_key(self, bench: HookBench) -> None:
        with pytest.raises(HookLoadError, match=r"pipelines\.toy\.cwd"):
            bench.run(bench.pipeline(cwd=bench.folder / "nowhere"))

    def test_a_copy_that_the_hook_forked_gives_no_second_result(self, bench: HookBench) -> None:
        hooks = HOOKS.replace("def test(payload):", "def test(payload):\n    os.fork()")
        pipeline = bench.pipeline(hooks)
        assert bench.run(pipeline, "test").rows == 3
        assert bench.run(pipeline, "infer").rows == 3


class TestStopping:
    def test_kill_ends_the_step_with_all_that_it_started(self, tmp_path: Path) -> None:
        with_stop = Stopping(tmp_path, lambda bench: bench.slot.kill())
        with_stop.check()

    def test_cancel_kills_what_ignores_the_first_signal(self, tmp_path: Path) -> None:
        with_stop = Stopping(tmp_path, lambda bench: bench.slot.cancel(0.2))
        with_stop.check()

    def test_a_hook_that_heeds_the_first_signal_may_finish_its_own_way(
        self, bench: HookBench, tmp_path: Path
    ) -> None:
        heeding = (
            "    import pathlib\n"
            "    def leave(*_):\n"
            "        pathlib.Path(os.environ['RECORD']).write_text('saved')\n"
            "        os._exit(0)\n"
            "    signal.signal(signal.SIGTERM, leave)\n"
            "    progress(1)\n"
            "    signal.pause()\n"
        )
        hooks = HOOKS.replace("def test(payload):\n", f"def test(payload):\n{heeding}")
        bench.on_progress = lambda *_: bench.slot.cancel(60)
        with pytest.raises(HookInterruptedError):
            bench.run(
                bench.pipeline(f"import signal\nfrom alectio_agent import progress\n{hooks}"),
                "test",
            )
        assert (tmp_path / "record").read_text() == "saved"

    def test_a_hook_process_ends_with_its_group_when_the_agents_end_of_the_pipe_is_gone(
        self, tmp_path: Path
    ) -> None:
        def let_go(bench: HookBench) -> None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, bench.slot._warm.process._commands)
            os.close(nowhere)

        with_stop = Stopping(tmp_path, let_go)
        with_stop.check(HookCrashedError)

    def test_a_cancel_between_two_steps_does_not_hit_the_next_one(self, bench: HookBench) -> None:
        pipeline = bench.pipeline()
        bench.run(pipeline)
        bench.slot.cancel(0)
        bench.slot.kill()
        assert bench.run(pipeline, "test").rows == 3

    def test_a_step_that_is_no_longer_wanted_does_not_begin(self, bench: HookBench) -> None:
        with pytest.raises(HookInterruptedError):
            bench.run(bench.pipeline(RECORDING), is_wanted=lambda: False)
        assert not (bench.folder / "record").exists()

    def test_asking_a_closed_slot_is_harmless(self, bench: HookBench) -> None:
        bench.slot.close()
        bench.slot.cancel(1)
        bench.slot.kill()


class Stopping:
    """A hook with a grandchild that ignores TERM, stopped while it runs."""

    def __init__(self, folder: Path, stop) -> None:
        self.bench = HookBench(folder)
        self.pids: list[int] = []

        def note(_done, _total, numbers) -> None:
            self.pids.append(int(numbers["pid"]))
            stop(self.bench)

        self.bench.on_progress = note

    def check(self, expected: type[HookError] = HookInterruptedError) -> None:
        pipeline = self.bench.pipeline(STUBBORN + HANGING)
        with pytest.raises(expected):
            self.bench.run(pipeline, "test")
        assert not is_running(self.pids[0])
        assert self.bench.groups.living == {}
        self.bench.on_progress = None
        assert self.bench.run(pipeline, "infer").rows == 3
        self.bench.close()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


SLOW = """
import signal
from alectio_agent import progress
""" + HOOKS.replace(
    "def test(payload):\n", "def test(payload):\n    progress(1, 2)\n    signal.pause()\n"
)


class TestLimits:
    """A step that takes too long ends like a cancelled one, and says which key to raise."""

    def test_a_step_that_is_not_done_in_time_ends(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(SLOW, timeout={"test": "1s"})
        with pytest.raises(HookTimeoutError) as ended:
            bench.run(pipeline, "test")
        assert ended.value.failure_class == "timeout"
        assert ended.value.code == "E-HOOK-13"
        assert str(ended.value) == (
            "E-HOOK-13  toy/1 test: not done after 1.00 s (pipelines.toy.timeout.test); the hook "
            "process was ended\nIf it is only slow, raise pipelines.toy.timeout.test in agent.yaml "
            f"(null: no limit). What it printed is in {bench.folder}/job.log"
        )
        assert bench.groups.living == {}
        assert bench.run(pipeline, "infer").rows == 3

    def test_a_step_that_stops_telling_its_progress_ends(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(SLOW, timeout={"no_progress": "0.5s"})
        with pytest.raises(HookTimeoutError, match=r"no progress was reported for 0\.50 s \("):
            bench.run(pipeline, "test")

    def test_an_import_that_hangs_falls_under_the_limit_of_its_step(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(f"{HOOKS}\nimport signal\nsignal.pause()\n", timeout={"infer": 1})
        with pytest.raises(HookTimeoutError, match=r"timeout\.infer"):
            bench.run(pipeline, "infer")

    def test_a_look_at_hooks_that_hang_falls_under_the_limit_of_test(
        self, bench: HookBench
    ) -> None:
        state = "\ndef state(payload):\n    import signal\n    signal.pause()\n"
        pipeline = bench.pipeline(HOOKS + state, timeout={"test": 1, "train": None})
        with pytest.raises(HookTimeoutError, match=r"pipelines\.toy\.hooks: .*timeout\.test"):
            bench.slot.inspect("toy", pipeline, bench.folder)
        assert bench.groups.living == {}

    def test_a_person_who_cancels_first_is_the_reason(self, bench: HookBench) -> None:
        bench.on_progress = lambda *_: bench.slot.cancel(30)
        with pytest.raises(HookInterruptedError):
            bench.run(bench.pipeline(SLOW, timeout={"test": "5s"}), "test")


class TestSurroundings:
    def test_prints_also_of_grandchildren_go_to_the_log_of_the_running_job(
        self, bench: HookBench
    ) -> None:
        prints = "    print('from', payload['loop'])\n    os.system('echo grandchild')\n"
        pipeline = bench.pipeline(
            HOOKS.replace("def test(payload):\n", f"def test(payload):\n{prints}")
        )
        other = bench.folder / "logs" / "other.log"
        bench.run(pipeline, "test")
        other.parent.mkdir()
        bench.run(pipeline, "test", loop=2, log_file=other)
        assert bench.log() == "from 1\ngrandchild\n"
        assert other.read_text() == "from 2\ngrandchild\n"

    def test_the_hook_sees_its_variables_and_no_secret(self, tmp_path: Path) -> None:
        bench = HookBench(
            tmp_path,
            ALECTIO_AGENT_TOKEN_FILE="/etc/token",
            ALECTIO_HUB="http://hub",
            CREDENTIALS_DIRECTORY="/run/credentials",
            NOTIFY_SOCKET="/run/notify",
            WATCHDOG_USEC="1",
            HARMLESS="kept",
        )
        secrets = tmp_path / "env"
        secrets.touch(0o600)
        secrets.write_text("# comment\nexport FROM_FILE='a value'\nBOTH=file\n")
        at_import = "import os, json\nprint(json.dumps(dict(os.environ)))\n"
        pipeline = bench.pipeline(
            at_import + HOOKS, env={"FROM_ENV": "1", "BOTH": "env"}, env_file=secrets
        )
        bench.run(pipeline)
        seen = json.loads(bench.log())
        expected = {"FROM_ENV": "1", "FROM_FILE": "a value", "BOTH": "file", "HARMLESS": "kept"}
        assert expected.items() <= seen.items()
        assert seen["EXPT_DIR"] == str(pipeline.checkpoints.dir / "toy")
        assert seen["LOG_DIR"] == str(pipeline.checkpoints.dir / "toy" / "log")
        assert Path(seen["LOG_DIR"]).is_dir()
        told = {key for key in seen if key.startswith(("ALECTIO_AGENT", "ALECTIO_HUB", "WATCHDOG"))}
        assert not told | ({"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"} & seen.keys())
        bench.close()

    def test_a_file_of_variables_that_others_may_read_is_refused(self, bench: HookBench) -> None:
        env_file = bench.folder / "env"
        env_file.write_text("KEY=secret\n")
        env_file.chmod(0o644)
        with pytest.raises(HookLoadError, match="chmod 600") as failed:
            bench.run(bench.pipeline(env_file=env_file))
        assert "secret\n" not in str(failed.value)

    def test_the_users_modules_are_never_shadowed_by_those_of_the_process(
        self, bench: HookBench
    ) -> None:
        """`keys`, `link`, `session`, `parts` are files of the child, and may be the user's."""
        names = ["keys", "link", "session", "parts", "failures", "start", "helpers"]
        imports = "".join(f"import {name}\nassert {name}.MINE\n" for name in names)
        pipeline = bench.pipeline(imports + HOOKS)
        for name in names:
            (pipeline.cwd / f"{name}.py").write_text("MINE = True\n")
        assert bench.run(pipeline).rows == 0

    def test_the_working_folder_is_first_on_the_path_and_set_anew_for_each_step(
        self, bench: HookBench
    ) -> None:
        wander = (
            "    import sys\n    print(sys.path[0], os.getcwd(), sys.argv)\n    os.chdir('/')\n"
        )
        pipeline = bench.pipeline(
            HOOKS.replace("def test(payload):\n", f"def test(payload):\n{wander}")
        )
        bench.run(pipeline, "test")
        bench.run(pipeline, "test")
        line = f"{pipeline.cwd} {pipeline.cwd} ['{pipeline.hooks}']"
        assert bench.log().splitlines() == [line, line]

    def test_modules_beside_the_hooks_are_found_whatever_the_working_folder(
        self, bench: HookBench
    ) -> None:
        pipeline = bench.pipeline("import beside\n" + HOOKS, cwd=bench.folder)
        (pipeline.hooks.parent / "beside.py").touch()
        assert bench.run(pipeline).rows == 0

    def test_standard_input_is_empty(self, bench: HookBench) -> None:
        reading = "    import sys\n    assert sys.stdin.read() == ''\n"
        hooks = HOOKS.replace("def test(payload):\n", f"def test(payload):\n{reading}")
        assert bench.run(bench.pipeline(hooks), "test").rows == 3

    def test_a_result_that_finds_no_room_waits_and_the_agent_is_told(
        self, bench: HookBench
    ) -> None:
        """The child's own writer is made to fail once, as on a full disk."""
        full_once = """
import errno
from alectio_agent.agent.hooks.child import parts, session
session.DISK_WAIT_S = 0
written, tries = parts._write_synced, []
def write(path, content):
    tries.append(path)
    if len(tries) == 1:
        raise OSError(errno.ENOSPC, "No space left on device")
    written(path, content)
parts._write_synced = write
"""
        payload = {"unlabeled": list(range(9000))}
        told: list[Exception] = []
        pipeline = bench.pipeline(full_once + HOOKS)
        outcome = bench.run(pipeline, "infer", payload=payload, on_wait=told.append)
        assert len(outcome.parts) == 1
        assert [type(error) for error in told] == [StoreFullError]
        assert "part-00000.npz: No space left on device" in str(told[0])

    def test_a_hook_that_met_a_full_disk_is_told_which(self, bench: HookBench) -> None:
        saving = (
            "    import errno\n"
            "    raise OSError(errno.ENOSPC, 'No space left on device', payload['ckpt_dir'])\n"
        )
        hooks = HOOKS.replace("def train(payload):\n", f"def train(payload):\n{saving}")
        with pytest.raises(HookRaisedError, match="No space left") as caught:
            bench.run(bench.pipeline(hooks))
        assert "checkpoints/toy is full (" in caught.value.hint
        assert "pipelines.toy.checkpoints.dir (E-DISK-06)" in caught.value.hint

    def test_lines_that_find_no_room_do_not_end_a_step(self, bench: HookBench) -> None:
        """`/dev/full` takes nothing, as a full disk does."""
        (bench.folder / "job.log").symlink_to("/dev/full")
        printing = "    import sys\n    print('epoch 1')\n    print('loss', file=sys.stderr)\n"
        hooks = HOOKS.replace("def test(payload):\n", f"def test(payload):\n{printing}")
        assert bench.run(bench.pipeline(hooks), "test").rows == 3

    def test_a_process_without_room_for_its_log_is_not_started(self, bench: HookBench) -> None:
        (bench.folder / "job.log").mkdir()
        with pytest.raises(StoreError, match=r"job\.log"):
            bench.run(bench.pipeline())
        assert bench.groups.count == 0

    def test_names_that_find_no_room_are_no_fault_of_the_hooks(self, bench: HookBench) -> None:
        (bench.folder / "toy.names").symlink_to("/dev/full")
        naming = HOOKS + "\ndef state(payload):\n    return {0: 'a', 1: 'b'}\n"
        with pytest.raises(StoreFullError, match=r"toy\.names"):
            bench.slot.inspect("toy", bench.pipeline(naming), bench.folder)

    def test_the_process_leads_a_group_and_is_first_in_line_when_memory_runs_out(
        self, bench: HookBench
    ) -> None:
        look = (
            "    assert os.getpgrp() == os.getpid() == os.getsid(0)\n"
            "    print(open('/proc/self/oom_score_adj').read())\n"
        )
        hooks = HOOKS.replace("def test(payload):\n", f"def test(payload):\n{look}")
        bench.run(bench.pipeline(hooks), "test")
        assert bench.log().strip() == "500"

    def test_nothing_is_written_beside_the_users_files(self, bench: HookBench) -> None:
        pipeline = bench.pipeline("import other\n" + HOOKS)
        (pipeline.cwd / "other.py").touch()
        bench.run(pipeline)
        assert sorted(path.name for path in pipeline.cwd.iterdir()) == [
            "checkpoints", "other.py", "processes.py",
        ]  # fmt: skip

    def test_workers_that_multiprocessing_spawns_find_the_hooks_and_the_helpers(
        self, bench: HookBench
    ) -> None:
        spawning = (
            "import multiprocessing\nfrom alectio_agent import track\n"
            "def double(number):\n    return 2 * number\n"
        )
        body = (
            "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
            "        print(pool.map(double, [1, 2]))\n"
        )
        hooks = HOOKS.replace("def test(payload):\n", f"def test(payload):\n{body}")
        bench.run(bench.pipeline(spawning + hooks), "test")
        assert "[2, 4]" in bench.log()


class TestCalls:
    def test_the_payload_holds_the_seeds_keys_and_the_additions(self, bench: HookBench) -> None:
        show = "    import json\n    print(json.dumps(payload, sort_keys=True))\n"
        hooks = HOOKS.replace("(payload):\n", f"(payload):\n{show}")
        pipeline = bench.pipeline(hooks, args={"batch_size": 64})
        for step in CALLS:
            bench.run(pipeline, step, loop=3)
        train, test, infer = [json.loads(line) for line in bench.log().splitlines()]
        folder = str(pipeline.checkpoints.dir / "toy")
        args = {
            "batch_size": 64, "current_loop": 3, "cur_loop": 3,
            "EXPT_DIR": folder, "LOG_DIR": f"{folder}/log",
        }  # fmt: skip
        common = {
            "ckpt_file": "toy-ckpt_3", "ckpt_dir": folder, "loop": 3, "seed": 7, "args": args,
        }  # fmt: skip
        begun = {"labeled": [1, 2], "resume_from": "toy-ckpt_2", "partial": None}
        assert train == {**common, **begun}
        assert test == common
        assert infer == {**common, "unlabeled": [4, 8, 15]}

    def test_a_script_of_the_old_sdk_runs_with_no_line_changed(self, bench: HookBench) -> None:
        script = """
import os
from alectio_sdk.sdk import Pipeline
from alectio_sdk.sdk.pipeline import Pipeline as Same
from alectio_sdk.flask_wrapper import Pipeline as Older
assert Pipeline is Same is Older

EXPT_DIR, LOG_DIR = os.environ["EXPT_DIR"], os.environ["LOG_DIR"]

def fit(args, labeled, resume_from, ckpt_file):
    open(os.path.join(EXPT_DIR, ckpt_file + ".pt"), "w").write("x")
    return {"labels": [args["rate"] for _ in labeled], "hyperparams": {"loop": args["cur_loop"]}}

def score(args, ckpt_file):
    return {"predictions": [0], "labels": [1]}

def rows(args, unlabeled, ckpt_file):
    return {"outputs": {position: {"pre_softmax": [2, 1]} for position in range(len(unlabeled))}}

def names(args):
    return {0: "a", 1: "b"}

pipeline = Pipeline(name="mine", train_fn=fit, test_fn=score, infer_fn=rows, getstate_fn=names,
                    args={"rate": 3, "EXPT_DIR": EXPT_DIR}, token="secret", multi_gpu_flag=False)
pipeline()
"""
        pipeline = bench.pipeline(script, "main")
        trained = bench.run(pipeline)
        assert trained.inline == {"labels": [3, 3], "hyperparams": {"loop": 1}}
        assert bench.run(pipeline, "test").rows == 1
        infer = bench.run(pipeline, "infer")
        assert infer.inline is not None
        assert infer.inline["rows"][0] == [4, {"pre_softmax": [2.0, 1.0]}]
        assert "positions" in infer.warnings[0]
        assert bench.run(pipeline, "infer").warnings == (), "said once is enough"

    def test_functions_may_lie_in_several_modules(self, bench: HookBench) -> None:
        references = {step: f"processes:{step}" for step in CALLS}
        home = bench.pipeline().cwd
        pipeline = bench.pipeline(hooks=HOOKS).model_copy()
        mapped = type(pipeline)(
            hooks=references, cwd=home, checkpoints={"dir": bench.folder / "checkpoints"}
        )
        assert bench.run(mapped, "infer").rows == 3

    def test_functions_of_a_script_are_found_although_its_pipeline_is_not_made(
        self, bench: HookBench
    ) -> None:
        """Under the main guard, as many old scripts are written."""
        script = HOOKS.replace("def train(", "def fit(") + (
            "from alectio_agent import Pipeline\n"
            'if __name__ == "__main__":\n'
            "    Pipeline(name='x', train_fn=fit, test_fn=test, infer_fn=infer)()\n"
        )
        pipeline = bench.pipeline(script, "main")
        functions = {"script": pipeline.hooks, "train": "fit", "test": "main:test"}
        mapped = type(pipeline)(
            hooks={**functions, "infer": "infer"},
            checkpoints={"dir": bench.folder / "checkpoints"},
        )
        assert bench.run(mapped).rows == 0
        assert bench.run(mapped, "test").rows == 3
        assert bench.run(mapped, "infer").rows == 3

    def test_an_edited_script_is_imported_again(self, bench: HookBench) -> None:
        pipeline = bench.pipeline("import sys\nprint('first')\n" + HOOKS, "main")
        functions = {"script": pipeline.hooks, **{step: step for step in CALLS}}
        mapped = type(pipeline)(hooks=functions, checkpoints={"dir": bench.folder / "checkpoints"})
        bench.run(mapped)
        bench.pipeline("print('second')\n" + HOOKS, "main")
        bench.run(mapped, "test")
        assert bench.log() == "first\nsecond\n"

    @pytest.mark.parametrize("form", ["file", "script", "modules"])
    def test_a_script_reads_its_own_arguments(self, bench: HookBench, form: str) -> None:
        reading = (
            "import sys\nfrom pathlib import Path\nprint(Path(sys.argv[0]).name, sys.argv[1:])\n"
        )
        plain = bench.pipeline(reading + HOOKS, "main")
        hooks = {
            "file": plain.hooks,
            "script": {"script": plain.hooks, **{step: step for step in CALLS}},
            "modules": {step: f"main:{step}" for step in CALLS},
        }
        pipeline = type(plain)(
            hooks=hooks[form], cwd=plain.cwd, argv=["--size", "224"],
            checkpoints={"dir": bench.folder / "checkpoints"},
        )  # fmt: skip
        bench.run(pipeline)
        name = "hooks" if form == "modules" else "main.py"
        assert bench.log() == f"{name} ['--size', '224']\n"

    def test_other_arguments_need_another_process(self, bench: HookBench) -> None:
        reading = "import sys\nprint(sys.argv[1:])\n"
        plain = bench.pipeline(reading + HOOKS, "main")
        for argv in (["a"], ["b"], ["b"]):
            bench.run(plain.model_copy(update={"argv": argv}), "test")
        assert bench.log() == "['a']\n['b']\n"

    def test_the_same_step_draws_the_same_numbers_in_any_process(self, bench: HookBench) -> None:
        draw = "    import random, numpy\n    print(random.random(), numpy.random.rand())\n"
        hooks = "import numpy\n" + HOOKS.replace(
            "def test(payload):\n", f"def test(payload):\n{draw}"
        )
        pipeline = bench.pipeline(hooks)
        bench.run(pipeline, "test")
        bench.run(pipeline, "test")
        bench.run(pipeline, "test", experiment="another")
        bench.run(pipeline, "test", loop=2)
        bench.run(pipeline, "test", seed=8)
        first, second, third, other_loop, other_seed = bench.log().splitlines()
        assert first == second == third
        assert len({first, other_loop, other_seed}) == 3

    def test_progress_reaches_the_agent(self, bench: HookBench) -> None:
        telling = (
            "    from alectio_agent import progress\n    progress(13, 20, loss=0.25, bad='x')\n"
        )
        hooks = HOOKS.replace("def test(payload):\n", f"def test(payload):\n{telling}")
        bench.run(bench.pipeline(hooks), "test")
        assert bench.progress == [(13.0, 20.0, {"loss": 0.25})]


BULK = HOOKS.replace(
    '{index: [0.5, -1.0] for index in payload["unlabeled"]}',
    '{index: [index / 7, -index] for index in reversed(payload["unlabeled"])}',
)


class TestResults:
    def test_samples_in_an_array_reach_the_hook_as_a_list(self, bench: HookBench) -> None:
        hooks = (
            HOOKS
            + """
def infer(payload):
    assert type(payload["unlabeled"]) is list
    return {"outputs": {index: [0.5, 0.5] for index in payload["unlabeled"]}}
"""
        )
        payload = {"unlabeled": array("q", [4, 8, 15])}
        outcome = bench.run(bench.pipeline(hooks), "infer", payload=payload)
        assert [index for index, _ in outcome.inline["rows"]] == [4, 8, 15]

    def test_a_large_result_is_written_in_parts_that_numpy_reads(self, bench: HookBench) -> None:
        unlabeled = list(range(1, 600_001, 2))
        run = bench.step(bench.pipeline(BULK), "infer", payload={"unlabeled": unlabeled})
        outcome = bench.slot.run(run)
        assert (outcome.media_type, outcome.rows, outcome.inline) == (
            "application/x-npz", 300_000, None,
        )  # fmt: skip
        assert [part.rows for part in outcome.parts] == [262_080, 37_920]
        arrays = []
        for part in outcome.parts:
            content = (run.folder / part.file).read_bytes()
            assert hashlib.sha256(content).hexdigest() == part.sha256
            assert len(content) == part.bytes
            arrays.append(dict(np.load(run.folder / part.file, allow_pickle=False)))
        index = np.concatenate([found["index"] for found in arrays])
        logits = np.concatenate([found["logits"] for found in arrays])
        assert index.tolist() == unlabeled
        assert logits.dtype == np.float32
        np.testing.assert_array_equal(logits[:, 0], (index / 7).astype(np.float32))
        assert [path.name for path in sorted(run.folder.iterdir())] == [
            part.file for part in outcome.parts
        ]

    def test_the_same_result_has_the_same_digest(self, bench: HookBench) -> None:
        pipeline, payload = bench.pipeline(BULK), {"unlabeled": list(range(5000))}
        first = bench.run(pipeline, "infer", payload=payload)
        second = bench.run(pipeline, "infer", payload=payload, experiment="again")
        assert first.parts[0].sha256 == second.parts[0].sha256

    def test_a_broken_contract_names_the_job_and_what_is_kept(self, bench: HookBench) -> None:
        hooks = HOOKS.replace('payload["unlabeled"]}', 'payload["unlabeled"][:-1]}')
        with pytest.raises(HookResultError) as failed:
            bench.run(bench.pipeline(hooks), "infer")
        assert failed.value.message == (
            "E-HOOK-04  toy/1 infer: 1 of 3 rows missing: 15; 0 unasked. Return one row for each "
            'index in payload["unlabeled"] (drop_last=True in a DataLoader does this). '
            "train and test are kept. Mend it, then: alectio-agent experiment retry toy "
            "(with the hub in the box: alectio-agent run)"
        )

    def test_probabilities_in_the_place_of_scores_are_a_warning(self, bench: HookBench) -> None:
        outcome = bench.run(bench.pipeline(HOOKS.replace("[0.5, -1.0]", "[0.25, 0.75]")), "infer")
        assert "E-HOOK-07" in outcome.warnings[0]

    def test_times_are_those_of_the_hook(self, bench: HookBench) -> None:
        outcome = bench.run(bench.pipeline(), "test")
        assert outcome.started_at <= outcome.finished_at
        assert outcome.duration_s >= 0


class TestCheckpoints:
    def test_a_checkpoint_under_another_name_fails_the_step(self, bench: HookBench) -> None:
        hooks = HOOKS.replace('payload["ckpt_file"]).write', '"model.pt").write')
        with pytest.raises(HookResultError, match="expected the checkpoint toy-ckpt_1") as failed:
            bench.run(bench.pipeline(hooks))
        assert "found model.pt" in failed.value.hint

    def test_hooks_that_keep_their_files_elsewhere_are_warned_about(self, bench: HookBench) -> None:
        hooks = HOOKS.replace(
            'Path(payload["ckpt_dir"], payload["ckpt_file"])', 'Path("/dev/null")'
        )
        outcome = bench.run(bench.pipeline(hooks))
        assert "wrote nothing into" in outcome.warnings[0]

    def test_what_an_earlier_try_left_is_gone_before_train_runs_again(
        self, bench: HookBench
    ) -> None:
        look = "    print(sorted(p.name for p in Path(payload['ckpt_dir']).iterdir()))\n"
        pipeline = bench.pipeline(
            HOOKS.replace("def train(payload):\n", f"def train(payload):\n{look}")
        )
        for _ in range(2):
            bench.run(pipeline, loop=0)
        assert bench.log().splitlines() == ["['log']", "['log']"]

    def test_a_lost_checkpoint_is_a_failure_of_its_own_class(self, bench: HookBench) -> None:
        pipeline = bench.pipeline()
        bench.run(pipeline, loop=0)
        with pytest.raises(CheckpointError, match="toy-ckpt_1 is gone"):
            bench.run(pipeline, loop=2)


class TestInspection:
    def test_a_look_tells_forms_and_record_names(self, bench: HookBench) -> None:
        state = "\ndef state(payload):\n    return {'1': 'caf\\u00e9', 0: 'a.png'}\n"
        pipeline = bench.pipeline(HOOKS + state)
        found = bench.slot.inspect("toy", pipeline, bench.folder)
        assert found.forms == dict.fromkeys((*CALLS, "state"), "payload")
        assert found.state_file is not None
        content = found.state_file.read_bytes()
        assert content == b'"a.png"\n"caf\\u00e9"\n'
        assert found.state_size == 2
        assert found.state_digest == hashlib.sha256(content).hexdigest()
        assert bench.groups.living == {}

    def test_hooks_without_state_have_no_names(self, bench: HookBench) -> None:
        found = bench.slot.inspect("toy", bench.pipeline(), bench.folder)
        assert (found.state_file, found.state_size, found.state_digest) == (None, None, None)

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("def state(payload):\n    return {1: 'a', 2: 'b'}\n", "missing 0"),
            ("def state(payload):\n    return ['a']\n", "expected {index: record name}"),
            ("def state(payload):\n    raise OSError('no disk')\n", "OSError: no disk"),
            ("def state(): pass\n", "signature state()"),
            ("import nothing_like_it\n", "not installed"),
        ],
    )
    def test_what_is_wrong_is_said_and_no_process_stays(
        self, bench: HookBench, code: str, said: str
    ) -> None:
        with pytest.raises(HookError) as failed:
            bench.slot.inspect("toy", bench.pipeline(HOOKS + "\n" + code), bench.folder)
        assert said in str(failed.value)
        assert bench.groups.living == {}
