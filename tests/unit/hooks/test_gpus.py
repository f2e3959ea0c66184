"""Which GPUs the hooks of a slot see."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.environment import build_environment
from alectio_agent.agent.hooks.gpus import gpu_pins
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.errors import HookLoadError


def variables(
    folder: Path, gpus: list[int | str] | None, inherited: dict[str, str], **keys: object
) -> dict[str, str]:
    """What a hook process sees of those about GPUs."""
    pipeline = PipelineSettings(hooks=folder / "a.py", python="/nowhere/bin/python", **keys)  # type: ignore[arg-type]
    found = build_environment(pipeline, inherited, None, "marker", gpu_pins(gpus))
    return {name: value for name, value in found.items() if "DEVICE" in name}


@pytest.mark.parametrize(
    ("gpus", "cuda", "hip"),
    [
        ([1], "1", "1"),
        ([0, 3], "0,3", "0,3"),
        (["GPU-8f3c", "GPU-11aa"], "GPU-8f3c,GPU-11aa", "GPU-8f3c,GPU-11aa"),
        ([], "", "-1"),
    ],
)
def test_a_slot_shows_its_gpus_and_no_others(
    tmp_path: Path, gpus: list[int | str], cuda: str, hip: str
) -> None:
    """An empty list shows none; HIP would take empty text for no list, and show all."""
    assert variables(tmp_path, gpus, {"CUDA_VISIBLE_DEVICES": "7"}) == {
        "CUDA_VISIBLE_DEVICES": cuda,
        "HIP_VISIBLE_DEVICES": hip,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def test_a_slot_for_all_gpus_leaves_what_the_agent_was_given(tmp_path: Path) -> None:
    given = {"CUDA_VISIBLE_DEVICES": "2,3", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}
    assert variables(tmp_path, None, given) == given


def test_the_pipeline_may_choose_another_order(tmp_path: Path) -> None:
    seen = variables(tmp_path, [0], {}, env={"CUDA_DEVICE_ORDER": "FASTEST_FIRST"})
    assert seen["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"


def test_a_file_of_variables_must_not_name_gpus_where_the_slot_does(tmp_path: Path) -> None:
    file = tmp_path / "xray.env"
    file.write_text("CUDA_VISIBLE_DEVICES=0\n")
    file.chmod(0o600)
    with pytest.raises(HookLoadError, match=r"xray.env CUDA_VISIBLE_DEVICES: found '0', while"):
        variables(tmp_path, [1], {}, env_file=file)
    assert variables(tmp_path, None, {}, env_file=file)["CUDA_VISIBLE_DEVICES"] == "0"
