"""Whether a hub that starts will soon be asked for a selection."""

from sqlalchemy import Connection, select

from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import experiments

_OPEN_FIRST = PreparedQuery(
    select(experiments.c.is_over).order_by(experiments.c.is_over).limit(1)  # False comes first
)


def expects_selections(tx: Connection, *, is_box: bool) -> bool:
    """Tell whether an experiment goes on, or will be made in a moment.

    Args:
        tx: Any transaction.
        is_box: The hub is the one in the box: it is first started to run an experiment, and later
            also to look at one.
    """
    is_over = next(iter(_OPEN_FIRST.values(tx)), None)
    return is_box if is_over is None else not is_over
