"""Asks a pipeline's interpreter which GPUs it sees, with the variables of its hooks."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import HookLoadError

ASKING_S = 120.0
"""Importing torch from a slow disk takes a minute."""
MARK = "alectio-gpus "
ASK = f"""
import json, shutil, subprocess, warnings
from importlib.util import find_spec
found = {{"torch": "", "names": [], "why": "", "cards": []}}
try:
    if find_spec("torch"):
        found["torch"] = "broken"
        import torch
        found["torch"] = str(torch.__version__)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        found["names"] = [str(torch.cuda.get_device_name(each)) for each in range(count)]
        if not count:
            built = getattr(torch.version, "cuda", None) or getattr(torch.version, "hip", None)
            found["why"] = str(said[-1].message) if said else "" if built else "built without CUDA"
except Exception as error:
    found["why"] = type(error).__name__ + ": " + str(error)
smi = shutil.which("nvidia-smi")
if smi:
    asked = [smi, "--query-gpu=index,name,uuid", "--format=csv,noheader"]
    try:
        told = subprocess.run(asked, stdout=subprocess.PIPE, timeout=30, check=True).stdout
        found["cards"] = [
            [part.strip() for part in line.split(",")]
            for line in told.decode(errors="replace").splitlines() if line.count(",") == 2
        ]
    except Exception as error:
        found["smi"] = type(error).__name__ + ": " + str(error)
print({MARK!r} + json.dumps(found))
"""


@dataclass(frozen=True)
class GpuSight:
    """What an interpreter sees.

    Attributes:
        torch: Version of torch; empty without, `broken` when it cannot be imported.
        names: GPUs that torch can use.
        why: Why it sees none, as far as it says.
        cards: Index, name and UUID of all GPUs that `nvidia-smi` shows, whatever the slot says.
    """

    torch: str
    names: list[str]
    why: str
    cards: list[list[str]]


def ask_gpus(name: str, pipeline: PipelineSettings, environment: Mapping[str, str]) -> GpuSight:
    """Start a pipeline's interpreter for a moment; of hooks nothing is imported.

    Args:
        name: Of the pipeline.
        pipeline: Its settings.
        environment: Of its hooks, with the GPUs of the slot.

    Returns:
        What it sees.

    Raises:
        HookLoadError: It says nothing that can be read.
    """
    key = f"E-HOOK-18  pipelines.{name}.python: {pipeline.python}"
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that was configured
            [str(pipeline.python), "-c", ASK],
            cwd=pipeline.cwd, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=ASKING_S, text=True, errors="replace", check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise HookLoadError(f"{key} could not be asked for its GPUs: {error}") from error
    told = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not told:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise HookLoadError(f"{key} ended when it was asked for its GPUs: {last[:200]}")
    found: dict[str, Any] = json.loads(told[-1].removeprefix(MARK))
    return GpuSight(found["torch"], found["names"], found["why"], found["cards"])
