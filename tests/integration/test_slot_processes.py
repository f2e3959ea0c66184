"""The hook process of a slot makes room for the next pipeline, and sees the slot's GPUs."""

import json
import os
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.core.clock import SystemClock
from tests.support.hook_runs import HOOKS, HookBench

# Tells its own process, and which of those that told theirs before live while it is imported.
TELLING = """
import os, pathlib
home = pathlib.Path(__file__).parents[1]
told = [int(file.name) for file in home.glob("told/*")]
living = [pid for pid in told if pathlib.Path("/proc/%d" % pid).exists()]
(home / "told").mkdir(exist_ok=True)
(home / "told" / str(os.getpid())).write_text(str(living))
"""
GPUS = """
import json, os, pathlib
names = [name for name in os.environ if name.endswith(("_VISIBLE_DEVICES", "_DEVICE_ORDER"))]
pathlib.Path(__file__).with_name("gpus").write_text(json.dumps({n: os.environ[n] for n in names}))
"""


@pytest.fixture
def bench(tmp_path: Path):
    made = HookBench(tmp_path)
    yield made
    made.close()


def test_a_warm_process_of_another_pipeline_has_ended_before_one_is_started(
    bench: HookBench,
) -> None:
    """It holds a GPU that the next one may need whole."""
    for name in ("red", "blue"):
        bench.run(bench.pipeline(TELLING + HOOKS, name), pipeline_name=name)
    told = sorted((bench.folder / "told").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    assert [file.read_text() for file in told] == ["[]", "[]"]
    assert len(bench.groups.living) == 1


def test_a_slot_tells_how_soon_it_could_begin(bench: HookBench) -> None:
    def ready() -> list[int]:
        jobs = (("toy", "toy"), ("toy", "other"), ("blue", "toy"))
        return [bench.slot.readiness(*job) for job in jobs]

    assert ready() == [1, 1, 1]
    bench.run(bench.pipeline())
    assert ready() == [2, 0, 0]
    bench.slot.refresh()
    assert ready() == [1, 1, 1]


def test_a_hook_process_sees_the_gpus_of_its_slot(bench: HookBench) -> None:
    given = {**os.environ, "CUDA_VISIBLE_DEVICES": "0,1,2"}
    slot = HookSlot(SystemClock(), bench.groups, given, gpus=[2, 5])
    slot.run(bench.step(bench.pipeline(GPUS + HOOKS)))
    slot.close()
    assert json.loads((bench.folder / "processes" / "gpus").read_text()) == {
        "CUDA_VISIBLE_DEVICES": "2,5",
        "HIP_VISIBLE_DEVICES": "2,5",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
