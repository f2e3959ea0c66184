"""Which GPUs a hook process sees: variables that the libraries of their makers read.

`ROCR_VISIBLE_DEVICES` is left alone: it numbers the GPUs anew for `HIP_VISIBLE_DEVICES`, so that
the second of two GPUs, named in both, would be none.
"""

from collections.abc import Mapping, Sequence

from alectio_agent.config.slots import PINS

ORDER = "CUDA_DEVICE_ORDER"
CUDA, HIP = PINS
NONE_OF_HIP = "-1"
"""HIP takes an empty list for no list, and shows all GPUs."""


def gpu_order(environment: Mapping[str, str]) -> dict[str, str]:
    """GPUs are numbered as `nvidia-smi` numbers them, unless somebody chose another order.

    Args:
        environment: All variables, the user's among them.

    Returns:
        What is to be added.
    """
    return {} if ORDER in environment else {ORDER: "PCI_BUS_ID"}


def gpu_pins(gpus: Sequence[int | str] | None) -> dict[str, str]:
    """The variables by which a process sees these GPUs and no others.

    Args:
        gpus: Numbers or UUIDs; None for all.

    Returns:
        Value by name; nothing when it may see all.
    """
    if gpus is None:
        return {}
    shown = ",".join(map(str, gpus))
    return {CUDA: shown, HIP: shown or NONE_OF_HIP}
