"""Names of samples, as people know them."""

from collections.abc import Sequence

from sqlalchemy import Connection

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import Experiment


def names_of(
    tx: Connection,  # noqa: ARG001 - names are not kept yet
    context: Context,  # noqa: ARG001
    experiment: Experiment,  # noqa: ARG001
    indices: Sequence[int],  # noqa: ARG001
) -> list[str] | None:
    """The names that `state()` gave samples.

    Args:
        tx: Any transaction.
        context: Knows where files lie.
        experiment: Of the samples.
        indices: Below the size of its pool.

    Returns:
        Parallel to the indices; None when the hub does not know them.
    """
    return None
