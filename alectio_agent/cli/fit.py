"""Whether the two files of an embedded run fit together, before anything is made from them."""

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from alectio_agent.core.errors import ConfigError
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.pools import pool_problem


def pick_pipeline(file: Path, experiment: ExperimentSettings, pipelines: Collection[str]) -> str:
    """Find the pipeline that an experiment means.

    Args:
        file: `experiment.yaml`, for messages.
        experiment: From it.
        pipelines: Names in `agent.yaml`.

    Returns:
        The name.

    Raises:
        ConfigError: No such pipeline, or several and none named.
    """
    known = ", ".join(sorted(pipelines))
    if experiment.pipeline is None and len(pipelines) == 1:
        return next(iter(pipelines))
    if experiment.pipeline is None:
        raise ConfigError(
            f"E-CONF-04  {file} pipeline: missing; agent.yaml has several, expected one of: {known}"
        )
    if experiment.pipeline in pipelines:
        return experiment.pipeline
    near = get_close_matches(experiment.pipeline, pipelines, n=1)
    mend = f". Did you mean `{near[0]}`?" if near else ""
    raise ConfigError(
        f"E-CONF-06  {file} pipeline: found '{experiment.pipeline}', expected a pipeline of "
        f"agent.yaml: {known}{mend}"
    )


def check_pool(
    files: tuple[Path, Path], experiment: ExperimentSettings, pipeline: str, pool: int | None
) -> None:
    """See that the number of samples is known and large enough.

    Args:
        files: `agent.yaml` and `experiment.yaml`, for messages.
        experiment: From its file.
        pipeline: The one it means.
        pool: Samples of the pipeline, from its settings or its `state()`; None when neither says.

    Raises:
        ConfigError: Nothing would ever run, with the mend.
    """
    agent_file, experiment_file = files
    size = experiment.pool if experiment.pool is not None else pool
    if size is None:
        raise ConfigError(
            f"E-CONF-04  {agent_file} pipelines.{pipeline}.pool_size: missing, and the number of "
            f"samples is not known otherwise. Write it there, or `pool` in {experiment_file}, or "
            "a function state() beside the hooks"
        )
    problem = pool_problem(experiment, size)
    if problem:
        raise ConfigError(f"E-CONF-06  {experiment_file} batch: {problem}")
