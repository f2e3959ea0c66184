"""Hooks that are asked to stop: they save what they have, or are ended when their time is over."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.core.errors import HookInterruptedError, HookRaisedError
from tests.support.clocks import HurriedClock
from tests.support.hook_runs import HOOKS, STUBBORN, HookBench
from tests.support.interpreters import PYPY, need

# Trains epoch after epoch until it has done ten; tells of each, and waits to be asked in the third.
EPOCHS = f"""
import signal, sys, threading
from alectio_agent import Stopped, progress, should_stop
{HOOKS}
def train(payload):
    folder, begun = Path(payload["ckpt_dir"]), 0
    if payload["partial"]:
        begun = int((folder / payload["partial"]).read_text())
    print("begun at", begun)
    for epoch in range(begun, 10):
        progress(epoch, 10)
        while epoch == 3 and not begun and not should_stop():
            threading.Event().wait(0.01)
        if epoch >= 3 and should_stop():
            (folder / (payload["ckpt_file"] + ".partial")).write_text(str(epoch))
            ENDING
    (folder / payload["ckpt_file"]).write_text("weights")
"""
STOPPING = EPOCHS.replace("ENDING", "raise Stopped")
RETURNING = EPOCHS.replace("ENDING", "return")
ID = {"experiment_id": "e-1"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HookBench]:
    made = HookBench(tmp_path, RECORD=str(tmp_path / "record"))
    yield made
    made.close()
    assert made.groups.living == {}, "a process group was left behind"


def ask(bench: HookBench, within_s: float | None = None) -> None:
    """Ask when the hook says for the first time how far it is."""

    def asking(*_: object) -> None:
        bench.on_progress = None
        bench.slot.request(within_s, asks_hook=True)

    bench.on_progress = asking


def checkpoints(bench: HookBench) -> set[str]:
    folder = bench.folder / "processes" / "checkpoints" / "toy"
    return {path.name for path in folder.iterdir()} - {"log"}


@pytest.mark.parametrize("hooks", [STOPPING, RETURNING])
def test_a_hook_that_is_asked_saves_and_the_next_attempt_goes_on_from_there(
    bench: HookBench, hooks: str
) -> None:
    ask(bench)
    pipeline = bench.pipeline(hooks)
    with pytest.raises(HookInterruptedError, match=r"toy/1 train: stopped at a checkpoint$"):
        bench.run(pipeline, **ID)
    assert checkpoints(bench) == {"toy-ckpt_1.partial"}
    assert bench.groups.living == {}
    assert "Traceback" not in bench.log(), "nothing went wrong"
    again = {"ckpt_file": "toy-ckpt_1-a2"}
    assert bench.run(pipeline, payload=again, **ID).rows == 0
    begun = [line for line in bench.log().splitlines() if line.startswith("begun")]
    assert begun == ["begun at 0", "begun at 3"]
    assert "toy-ckpt_1-a2" in checkpoints(bench)


def test_a_python_3_9_without_this_package_can_be_asked_as_well(bench: HookBench) -> None:
    ask(bench)
    with pytest.raises(HookInterruptedError, match="stopped at a checkpoint"):
        bench.run(bench.pipeline(STOPPING, python=need(PYPY, "ctypes")), **ID)
    assert checkpoints(bench) == {"toy-ckpt_1.partial"}


def test_another_experiment_of_the_same_name_starts_from_nothing(bench: HookBench) -> None:
    ask(bench)
    pipeline = bench.pipeline(STOPPING)
    with pytest.raises(HookInterruptedError):
        bench.run(pipeline, **ID)
    ask(bench)
    with pytest.raises(HookInterruptedError):
        bench.run(pipeline, experiment_id="e-2")
    begun = [line for line in bench.log().splitlines() if line.startswith("begun")]
    assert begun == ["begun at 0"] * 2


def test_hooks_by_keywords_get_it_too(bench: HookBench) -> None:
    hooks = f"""{HOOKS}
def train(args, labeled, resume_from, ckpt_file, partial):
    print("partial", partial)
    Path(args["EXPT_DIR"], ckpt_file + ".partial").write_text("1")
    if partial is None:
        os._exit(1)
    Path(args["EXPT_DIR"], ckpt_file).write_text("weights")
"""
    pipeline = bench.pipeline(hooks)
    with pytest.raises(Exception, match="exit code 1"):
        bench.run(pipeline, **ID)
    bench.run(pipeline, **ID)
    assert bench.log().split() == ["partial", "None", "partial", "toy-ckpt_1.partial"]


def test_a_result_that_is_complete_counts_although_the_hook_was_asked(bench: HookBench) -> None:
    hooks = EPOCHS.replace("ENDING", "break")
    ask(bench)
    pipeline = bench.pipeline(hooks.replace("def test(payload):", SAYS_WHETHER))
    assert bench.run(pipeline, **ID).rows == 0
    assert "toy-ckpt_1" in checkpoints(bench)
    assert bench.run(pipeline, "test", **ID).rows == 3
    assert bench.log().splitlines()[-1] == "asked: False", "it was about the step before"


SAYS_WHETHER = "def test(payload):\n    print('asked:', should_stop())"


def test_stopping_unasked_is_a_failure(bench: HookBench) -> None:
    hooks = f"from alectio_agent import Stopped\n{HOOKS}"
    hooks = hooks.replace("def test(payload):", "def test(payload):\n    raise Stopped('tired')")
    with pytest.raises(HookRaisedError, match=r"Stopped: tired") as failed:
        bench.run(bench.pipeline(hooks), "test")
    assert failed.value.code == "E-HOOK-17"


def test_a_step_whose_hooks_are_still_imported_is_not_begun(bench: HookBench) -> None:
    record, go = bench.folder / "record", bench.folder / "go"
    importing = (
        "import threading, os, pathlib\npathlib.Path(os.environ['RECORD']).touch()\n"
        f"while not os.path.exists({str(go)!r}): threading.Event().wait(0.01)\n"
    )

    def watch() -> None:
        while not record.exists():
            threading.Event().wait(0.01)
        bench.slot.request(None, asks_hook=True)
        go.touch()

    watching = threading.Thread(target=watch)
    watching.start()
    with pytest.raises(HookInterruptedError, match="stopped before it began"):
        bench.run(bench.pipeline(importing + HOOKS))
    watching.join()
    assert checkpoints(bench) == set()


DEAF = f"{STUBBORN}import signal\n{HOOKS}".replace(
    "def test(payload):\n",
    "def test(payload):\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "    progress(1, 2, pid=grandchild())\n    while True: signal.pause()\n",
)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_hook_that_takes_no_notice_is_ended_at_the_deadline_with_all_it_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TERM and half a minute first, on a clock that runs fast."""
    bench = HookBench(tmp_path)
    bench.slot.close()
    heard: list[int] = []

    def asking(_done: object, _total: object, numbers: dict[str, float]) -> None:
        heard.append(int(numbers["pid"]))
        bench.slot.request(0.5, asks_hook=True)

    # Half a minute passes in 1.5 s, while nothing wakes it up before its time.
    hooks = DEAF.replace("    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n", "")
    bench.slot = HookSlot(HurriedClock(20), bench.groups, dict(os.environ), asking)
    with pytest.raises(HookInterruptedError, match="cancelled before it ended"):
        bench.run(bench.pipeline(hooks), "test")
    assert not is_running(heard[0])
    assert bench.groups.living == {}
    assert "did not end in time: cancelled" in caplog.text
    bench.close()


def test_without_being_asked_a_step_has_its_time_all_the_same(bench: HookBench) -> None:
    """`finish` with a drain_timeout."""
    hooks = f"import signal\nfrom alectio_agent import progress, should_stop\n{HOOKS}".replace(
        "def test(payload):\n",
        "def test(payload):\n    progress(1)\n    signal.pause()\n",
    )
    bench.on_progress = lambda *_: bench.slot.request(0.3, asks_hook=False)
    with pytest.raises(HookInterruptedError, match="cancelled before it ended"):
        bench.run(bench.pipeline(hooks), "test")


def test_a_cancelled_hook_that_ignores_term_is_asked_as_well_and_ends_by_itself(
    bench: HookBench,
) -> None:
    """It has ten minutes, and is not waited for once it has ended its work."""
    deaf = STOPPING.replace(
        "def train(payload):\n",
        "def train(payload):\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n",
    )

    def cancel(*_: object) -> None:
        bench.on_progress = None
        bench.slot.cancel(600)

    bench.on_progress = cancel
    with pytest.raises(HookInterruptedError):
        bench.run(bench.pipeline(deaf), **ID)
    assert checkpoints(bench) == {"toy-ckpt_1.partial"}


def test_asking_a_closed_slot_or_one_between_steps_is_harmless(bench: HookBench) -> None:
    pipeline = bench.pipeline(STOPPING.replace("not begun and", "False and"))
    bench.slot.request(0, asks_hook=True)
    assert bench.run(pipeline, **ID).rows == 0
    bench.slot.close()
    bench.slot.request(0, asks_hook=True)


def test_try_hands_out_no_partial_checkpoint_and_leaves_no_note(bench: HookBench) -> None:
    """A step without an experiment of a platform leaves nothing for a next attempt."""
    pipeline = bench.pipeline(STOPPING.replace("not begun and", "False and"))
    step_run = bench.step(pipeline)
    folder = pipeline.checkpoints.dir / "toy"
    folder.mkdir(parents=True)
    (folder / "toy-ckpt_1.partial").write_text("7")
    bench.slot.run(replace(step_run, experiment_id=""))
    assert bench.log().split() == ["begun", "at", "0"]
    assert {path.name for path in folder.parent.iterdir()} == {"toy"}
