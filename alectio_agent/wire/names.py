"""Which texts may become a folder, a file or a part of a URL."""

from typing import Annotated

from pydantic import StringConstraints

EXPERIMENT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
CHECKPOINT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
DIGEST_PATTERN = r"^[0-9a-f]{64}$"
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

ExperimentName = Annotated[str, StringConstraints(pattern=EXPERIMENT_PATTERN)]
CheckpointName = Annotated[str, StringConstraints(pattern=CHECKPOINT_PATTERN)]
PipelineName = ExperimentName
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


def checkpoint_name(experiment: str, loop: int, attempt: int) -> str:
    """The name of the checkpoint that an attempt writes.

    Args:
        experiment: Name of the experiment.
        loop: From 0.
        attempt: The attempt that trains, from 1.

    Returns:
        `<experiment>-ckpt_<loop>`, with `-a<attempt>` from the second attempt on.
    """
    again = f"-a{attempt}" if attempt > 1 else ""
    return f"{experiment}-ckpt_{loop}{again}"
