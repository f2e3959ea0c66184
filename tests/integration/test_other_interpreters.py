"""Hooks in interpreters that are not the agent's and do not have this package."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alectio_agent.core.errors import HookLoadError
from tests.support.hook_runs import HOOKS, HookBench
from tests.support.interpreters import DEBIAN, PYPY, need


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HookBench]:
    made = HookBench(tmp_path)
    yield made
    made.close()
    assert made.groups.living == {}


HONEST = """
import sys
try:
    import alectio_agent.core
except ImportError:
    print("this package is not installed here", sys.implementation.name, sys.version_info[:2])
from alectio_agent import progress, track
"""

TENSORS = """
from pathlib import Path
import torch

def train(payload):
    torch.save({"w": torch.zeros(2)}, Path(payload["ckpt_dir"]) / (payload["ckpt_file"] + ".pt"))
    return {"hyperparams": {"loss": torch.tensor(0.25), "rates": torch.tensor([1, 2])}}

def test(payload):
    logits = torch.tensor([[0.5, 2.0], [3.0, 1.0], [0.0, 1.0]], requires_grad=True)
    return {"predictions": logits.argmax(dim=1), "labels": torch.tensor([1, 0, 0])}

def infer(payload):
    asked = torch.tensor(payload["unlabeled"])
    rows = torch.stack([asked, -asked], dim=1).to(torch.float64).requires_grad_()
    if payload["loop"] == 1:
        return {"outputs": dict(zip(payload["unlabeled"], rows))}
    if payload["loop"] == 2:
        return {"outputs": rows.flip(0), "indices": asked.flip(0)}
    half = rows.to(torch.bfloat16)
    return {"outputs": {index: {"logits": row} for index, row in zip(asked, half)}}
"""


class TestPypy:
    def test_hooks_run_in_a_python_3_9_without_this_package(self, bench: HookBench) -> None:
        pipeline = bench.pipeline(HONEST + HOOKS, python=need(PYPY, "ctypes"))
        for step, rows in (("train", 0), ("test", 3), ("infer", 3)):
            assert bench.run(pipeline, step, loop=0).rows == rows
        assert bench.log() == "this package is not installed here pypy (3, 9)\n"

    def test_the_standard_library_writes_what_numpy_reads(self, bench: HookBench) -> None:
        hooks = HOOKS.replace("[0.5, -1.0]", "[index / 7, -index]")
        pipeline = bench.pipeline(hooks, python=need(PYPY, "ctypes"))
        run = bench.step(pipeline, "infer", payload={"unlabeled": list(range(5000))})
        (part,) = bench.slot.run(run).parts
        found = np.load(run.folder / part.file, allow_pickle=False)
        assert found["index"].tolist() == list(range(5000))
        expected = (np.arange(5000) / 7).astype(np.float32)
        np.testing.assert_array_equal(found["logits"][:, 0], expected)

    def test_both_ways_of_writing_give_the_same_bytes(self, bench: HookBench) -> None:
        payload = {"unlabeled": list(range(5000))}
        plain = HOOKS.replace("[0.5, -1.0]", "[index / 8, -index]")
        here = "import numpy\n" + HOOKS.replace("[0.5, -1.0]", "numpy.array([index / 8, -index])")
        other = bench.pipeline(plain, python=need(PYPY, "ctypes"))
        first = bench.run(other, "infer", payload=payload)
        second = bench.run(bench.pipeline(here), "infer", payload=payload)
        assert first.parts[0].sha256 == second.parts[0].sha256

    def test_a_failure_there_is_told_like_any_other(self, bench: HookBench) -> None:
        pipeline = bench.pipeline("import no_such_thing\n" + HOOKS, python=need(PYPY, "ctypes"))
        with pytest.raises(HookLoadError) as failed:
            bench.run(pipeline)
        said = f"{pipeline.hooks}:1 `import no_such_thing`: not installed in {PYPY}"
        assert said in str(failed.value)
        assert "pipelines.toy.python" in str(failed.value)


class TestTensors:
    @pytest.fixture
    def torch_python(self) -> Path:
        return need(DEBIAN, "torch")

    def test_hooks_return_tensors(self, bench: HookBench, torch_python: Path) -> None:
        pipeline = bench.pipeline(TENSORS, python=torch_python)
        trained = bench.run(pipeline)
        assert trained.inline == {"hyperparams": {"loss": 0.25, "rates": [1, 2]}}
        assert trained.warnings == ()
        tested = bench.run(pipeline, "test")
        assert tested.inline == {"rows": [[0, [1, 1]], [1, [0, 0]], [2, [1, 0]]]}

    @pytest.mark.parametrize("loop", [1, 2])
    def test_rows_may_be_tensors_or_one_tensor(
        self, bench: HookBench, torch_python: Path, loop: int
    ) -> None:
        pipeline = bench.pipeline(TENSORS, python=torch_python)
        found = bench.run(pipeline, "infer", loop=loop).inline
        assert found == {"rows": [[4, [4.0, -4.0]], [8, [8.0, -8.0]], [15, [15.0, -15.0]]]}

    def test_half_precision_and_keys_that_are_tensors_are_converted(
        self, bench: HookBench, torch_python: Path
    ) -> None:
        pipeline = bench.pipeline(TENSORS, python=torch_python)
        found = bench.run(pipeline, "infer", loop=3).inline
        assert found is not None
        assert found["rows"][2] == [15, {"logits": [15.0, -15.0]}]

    def test_torch_is_seeded_too(self, bench: HookBench, torch_python: Path) -> None:
        hooks = TENSORS.replace("    logits =", "    print(torch.rand(1).item())\n    logits =")
        pipeline = bench.pipeline(hooks, python=torch_python)
        bench.run(pipeline, "test")
        bench.run(pipeline, "test", experiment="another")
        bench.run(pipeline, "test", loop=2)
        first, again, other = bench.log().splitlines()
        assert first == again != other


class TestEnvironments:
    def test_a_virtual_environment_is_active(self, bench: HookBench) -> None:
        prefix = bench.folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
        show = "import os\nprint(os.environ['VIRTUAL_ENV'], os.environ['PATH'].split(':')[0])\n"
        bench.run(bench.pipeline(show + HOOKS, python=prefix / "bin/python"))
        assert bench.log() == f"{prefix} {prefix}/bin\n"

    def test_a_conda_environment_is_activated_with_its_scripts(self, bench: HookBench) -> None:
        prefix = bench.folder / "conda/envs/torch"
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "bin").mkdir()
        (prefix / "bin/python").symlink_to(sys.executable)
        scripts = prefix / "etc/conda/activate.d"
        scripts.mkdir(parents=True)
        (scripts / "a.sh").write_text('echo noise\nexport CUDA_HOME="$CONDA_PREFIX/cuda"\n')
        (scripts / "b.sh").write_text("export LINES_KEPT=$'one\\ntwo'\nunset GONE\n")
        show = (
            "import os, json\nprint(json.dumps([os.environ.get(key) for key in "
            "['CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'CUDA_HOME', 'LINES_KEPT', 'GONE']]))\n"
        )
        bench.slot._calls._environment = {**bench.slot._calls._environment, "GONE": "still here"}
        bench.run(bench.pipeline(show + HOOKS, python=prefix / "bin/python"))
        wanted = f'["{prefix}", "torch", "{prefix}/cuda", "one\\ntwo", null]\n'
        assert bench.log() == wanted

    def test_a_conda_environment_that_cannot_be_activated_says_so(self, bench: HookBench) -> None:
        prefix = bench.folder / "conda"
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "bin").mkdir()
        (prefix / "bin/python").symlink_to(sys.executable)
        scripts = prefix / "etc/conda/activate.d"
        scripts.mkdir(parents=True)
        (scripts / "a.sh").write_text("exit 3\n")
        with pytest.raises(HookLoadError, match=r"activate\.d: the scripts"):
            bench.run(bench.pipeline(python=prefix / "bin/python"))
